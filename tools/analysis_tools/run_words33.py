#!/usr/bin/env python
"""The words33 protocol by short names of rows and shots: the table ``words33`` of run_table.py.

Each row is a method, trained on k labelled clips a gloss, with mean and sample standard deviation over seeds.
A method pre-trains once without labels, and each model is trained and tested once. Finished runs are not run
again, and an interrupted training is resumed. The stores come from tools/dataset_converters/npz_to_store.py
(see configs/words33/README.md). With --dev the test set is not touched: use it for every choice.

Example:
    python tools/analysis_tools/run_words33.py --rows signbert signbert_scratch logreg
    python tools/analysis_tools/run_words33.py --dev --shots 1 5 --rows signbert \
        --cfg-options optim_wrapper.optimizer.lr=5e-4
    # the same table with the options of all tables
    python tools/analysis_tools/run_table.py words33 --columns '1-shot *' --work-dir work_dirs/words33
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import whole
from signbert_mm.engine.runner import OptionsAction, run_tool
from signbert_mm.experiments import (
    choose_rows,
    execute,
    find_table,
    load_setting,
    make_plan,
    table_markdown,
)

ROWS = {
    'signbert': 'SignBERT (H), pre-trained',
    'signbert_scratch': 'SignBERT (H), from scratch',
    'signbert_linear': 'SignBERT (H), linear',
    'signbert_knn': 'SignBERT (H), kNN',
    'st': 'ST-Consistency, pre-trained',
    'st_scratch': 'ST-Consistency, from scratch',
    'st_linear': 'ST-Consistency, linear',
    'st_knn': 'ST-Consistency, kNN',
    'p': 'ST-GCN (P)',
    'h+p': 'H+P',
    'logreg': 'logistic regression',
}
# Rows of projects/label_propagation, which this tool had before.
MOVED = ('signbert_propagate', 'signbert_propagate_rest', 'signbert_semi', 'signbert_semi_rest')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--shots', nargs='+', choices=('1', '2', '5', '10', 'all'), help='default: all of them'
    )
    parser.add_argument('--rows', nargs='+', choices=[*ROWS, *MOVED], metavar='ROW', help=', '.join(ROWS))
    parser.add_argument('--seeds', type=whole(1), help='at most so many seeds')
    parser.add_argument(
        '--dev', action='store_true', help='train and develop inside the pool; the test set is not touched'
    )
    parser.add_argument('--work-dir', default='work_dirs/words33')
    options = dict(nargs='+', action=OptionsAction, metavar='KEY=VALUE', default={})
    parser.add_argument('--cfg-options', **options, help='of the recognisers that are trained')
    parser.add_argument('--pretrain-options', **options, help='of the pre-training configs')
    args = parser.parse_args()
    moved = [row for row in args.rows or () if row in MOVED]
    if moved:
        parser.error(
            f'{", ".join(moved)}: in no paper, so they are a project of their own now: PYTHONPATH=. python '
            'tools/analysis_tools/run_table.py projects/label_propagation/configs/words33.py'
        )
    return args


def main() -> None:
    args = parse_args()
    table = find_table('words33')
    if args.rows:
        table = choose_rows(table, [ROWS[row] for row in args.rows])
    setting = load_setting(table, 'words33_dev' if args.dev else 'words33')
    for base in setting.bases.values():
        # A base with one encoder for all seeds is a pre-training.
        changes = args.pretrain_options if 'seed' in base else args.cfg_options
        base['options'] = {**base.get('options', {}), **changes}
    columns = None
    if args.shots:
        columns = [f'{"whole pool" if shots == "all" else f"{shots}-shot"} *' for shots in args.shots]
    seeds = range(min(args.seeds or 10, max(table.seeds.values())))
    plan = make_plan(table, setting, seeds, columns=columns)
    work_dir = Path(args.work_dir)
    execute(plan.runs, plan.tests, work_dir)
    text = table_markdown(plan, work_dir)
    print(f'\n{text}', flush=True)
    (work_dir / f'{setting.name}.md').write_text(text)


if __name__ == '__main__':
    run_tool(main)
