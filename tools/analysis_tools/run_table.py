#!/usr/bin/env python
"""Tables of the papers: trains what is missing, resumes what was interrupted, prints ours beside the paper's.

A table has a definition, configs/<method>/ablation/<table>.py, and a setting to measure on, on/<name>.py
beside it; tables.py and on/settings.py hold several of them by name. Each training has its own folder under
--work-dir, named by its config and a fingerprint of it. So tables share trainings, and a changed config never
takes an old result. Every model is tested once, after its last epoch. Nothing is chosen here.

Run the same command in several processes (such as one a GPU) to share the work: each leaves the others'
trainings to them.

Example:
    python tools/analysis_tools/run_table.py table4 --seeds 3
    # rows, columns, what is to do, and which data is missing
    python tools/analysis_tools/run_table.py table2 table4 --on synthetic --seeds 3 --dry-run
    # some rows and columns
    python tools/analysis_tools/run_table.py table4 --rows 'no mask*' --columns '*100*'
    # a figure of a paper, trained and drawn
    python tools/analysis_tools/run_table.py st_figure5 --on synthetic
    python tools/analysis_tools/run_table.py table9 --on wlasl --start i3d=KINETICS.pth --out tables.md
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Dict, List

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))


from signbert_mm.arguments import whole
from signbert_mm.engine.runner import OptionsAction, run_tool
from signbert_mm.experiments import (
    Plan,
    Run,
    choose_rows,
    draw_figures,
    execute,
    find_table,
    list_tables,
    load_setting,
    load_table,
    make_plan,
    missing_data,
    missing_text,
    prepare_stores,
    prepare_videos,
    replace_block,
    table_markdown,
    table_outline,
)
from signbert_mm.files.os_errors import output_file, output_path


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('tables', nargs='*', metavar='TABLE', help='a name of --list, or a definition file')
    parser.add_argument(
        '--on',
        metavar='SETTING',
        help='what to measure on: a file of on/ beside the definition (default: '
        'the one that the table names)',
    )
    parser.add_argument(
        '--seeds', type=whole(1), help='seeds 0 .. N - 1 (default: those that the table names, else 1)'
    )
    parser.add_argument(
        '--rows',
        nargs='+',
        metavar='NAME',
        help='only these rows: names, or patterns such as "no *" (default: all)',
    )
    parser.add_argument(
        '--columns',
        nargs='+',
        metavar='TITLE',
        help='only these of our columns, likewise; what only others need is not trained',
    )
    parser.add_argument(
        '--split', default='', help="test on this split instead of 'test', to choose something"
    )
    parser.add_argument(
        '--start',
        nargs='+',
        default=[],
        metavar='BASE=CHECKPOINT',
        help='start the trainings of a base that the setting starts from random weights from these, with a '
        'new head: i3d=KINETICS.pth',
    )
    parser.add_argument('--work-dir', type=output_path, default='work_dirs/tables')
    parser.add_argument(
        '--out',
        type=output_file,
        metavar='FILE.md',
        help='also write the tables into this page, each between its own marks; the rest of the page stays',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='list rows, columns and trainings, what is done, and missing data with its commands',
    )
    parser.add_argument(
        '--print-only', action='store_true', help='print the tables from what is there; train nothing'
    )
    parser.add_argument('--list', action='store_true', help='list the tables')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='config values to change in every training',
    )
    args = parser.parse_args()
    if any('=' not in pair for pair in args.start):
        parser.error(f'--start takes BASE=CHECKPOINT, got {" ".join(args.start)}')
    if not args.tables and not args.list:
        parser.error('name a table; --list shows them')
    return args


def show_tables() -> None:
    for name, path in list_tables().items():
        table = load_table(path)
        also = f' ({", ".join(table.also)})' if table.also else ''
        print(f'{name}{also}: {table.title}; by default on {table.on}')


def show_runs(plans: List[Plan], work_dir: Path) -> None:
    for plan in plans:
        print(f'{table_outline(plan)}\n')
    tests = {run for plan in plans for run in plan.tests}
    # Runs of one name are one training with several tests.
    runs: Dict[str, List[Run]] = {}
    for run in dict.fromkeys(run for plan in plans for run in plan.runs):
        runs.setdefault(run.name, []).append(run)
    done = 0
    for name, same in runs.items():
        tested = all(run.tested(work_dir) for run in same if run in tests)
        state = 'to train' if not same[0].trained(work_dir) else 'there' if tested else 'to test'
        done += state == 'there'
        print(f'{state:8}  {name}')
    print(f'{len(runs)} trainings, {done} of them there, in {work_dir}')
    missing = missing_text(missing_data(plans, work_dir))
    if missing:
        print(missing)


def main() -> None:
    args = parse_args()
    if args.list:
        show_tables()
        return
    # `made` lets the tables share trainings.
    work_dir, made, plans = Path(args.work_dir), {}, []
    start = time.time()
    for name in args.tables:
        table = find_table(name)
        setting = load_setting(table, args.on or table.on, dict(pair.split('=', 1) for pair in args.start))
        if not args.dry_run and not args.print_only:
            prepare_stores(setting)
        if args.rows:
            table = choose_rows(table, args.rows)
        seeds = range(args.seeds or max(table.seeds.values(), default=1))
        plans.append(make_plan(table, setting, seeds, args.cfg_options, args.split, made, args.columns))
        if not args.dry_run and not args.print_only:
            prepare_videos(plans[-1])
    if args.dry_run:
        show_runs(plans, work_dir)
        return
    if not args.print_only:
        for plan in plans:
            execute(plan.runs, plan.tests, work_dir)
    texts: Dict[str, str] = {}
    for plan in plans:
        # A page keeps the full table beside one with some of its rows, so the mark names the selection.
        parts = [f'{plan.table.name} on {plan.setting.name}', args.split]
        parts += [f'rows {" ".join(args.rows)}'] if args.rows else []
        parts += [f'columns {" ".join(args.columns)}'] if args.columns else []
        name = ', '.join(filter(None, parts))
        texts[name] = table_markdown(plan, work_dir)
        print(f'\n{texts[name]}', flush=True)
        if plan.table.figure:
            for path in draw_figures(plan, work_dir):
                print(f'Figure: {path}')
    if args.out:
        for name, text in texts.items():
            replace_block(Path(args.out), name, text)
        print(f'Written to {args.out} ({time.time() - start:.0f} s)')


if __name__ == '__main__':
    run_tool(main)
