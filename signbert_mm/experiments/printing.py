"""Prints tables in Markdown, our figures beside the paper's."""

import math
import re
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..engine.runner.config import ConfigError, did_you_mean
from ..visualization.sweep_plot import plot_sweep
from .plan import Plan

NOT_MEASURED = 'not measured'


Figures = Dict[Tuple[int, str], Dict[int, float]]


def figures(plan: Plan, work_dir: Path) -> Figures:
    """Collects the figures of tested seeds: (row, column title) -> seed -> figure.

    Raises:
        ConfigError: A test has no such key.
    """
    results: Figures = {}
    for position, cells in plan.cells.items():
        for cell in cells:
            record = cell.run.tested(work_dir)
            if record is None:
                continue
            if cell.key not in record['metrics']:
                raise ConfigError(
                    f'{plan.table.name}: the test of {cell.run.name} has no {cell.key!r}. '
                    f'{did_you_mean(cell.key, record["metrics"])}'
                )
            results.setdefault(position, {})[cell.seed] = record['metrics'][cell.key]
    return results


def mean_and_deviation(values: Iterable[float]) -> Tuple[float, Optional[float]]:
    """Mean and sample standard deviation (n - 1); the latter is None for a single value."""
    values = list(values)
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _spread(values: Iterable[float], sign: str = '') -> str:
    mean, deviation = mean_and_deviation(values)
    return f'{mean:{sign}.1f}' + ('' if deviation is None else f' +- {deviation:.1f}')


def _cell(values: Mapping[int, float], seeds: int, sign: str = '') -> str:
    if not values:
        return NOT_MEASURED
    return _spread(values.values(), sign) + (
        f' ({len(values)} of {seeds} seeds)' if len(values) < seeds else ''
    )


def _order(names: Sequence[str], values: Sequence[Optional[float]]) -> str:
    known = [(value, name) for name, value in zip(names, values) if value is not None]
    # A stable sort: equal rows keep the table's order.
    ranked = sorted(known, key=lambda pair: -pair[0])
    parts = [ranked[0][1]]
    for (above, _), (value, name) in zip(ranked, ranked[1:]):
        parts.append(f'{"=" if value == above else ">"} {name}')
    return ' '.join(parts)


def table_markdown(plan: Plan, work_dir: Path) -> str:
    """Formats the table in Markdown.

    Our columns are means over seeds +- the sample standard deviation; missing figures are "not measured". The
    paper's column of the same title stands beside ours, and its other columns at the end.
    """
    table, results = plan.table, figures(plan, work_dir)
    names = [row['name'] for row in table.rows]
    heads, columns = [], []
    for title in plan.columns:
        heads.append(title)
        columns.append(
            [
                _cell(results.get((row, title), {}), len(plan.cells.get((row, title), ())))
                for row in range(len(names))
            ]
        )
        if title in table.paper:
            heads.append(f'{title}, paper')
            columns.append(_paper(table.paper[title]))
    for title, values in table.paper.items():
        if title not in plan.columns:
            heads.append(f'{title}, paper')
            columns.append(_paper(values))
    lines = [f'| {table.corner} | ' + ' | '.join(heads) + ' |', '|---' * (1 + len(heads)) + '|']
    lines += [
        f'| {name} | ' + ' | '.join(column[row] for column in columns) + ' |'
        for row, name in enumerate(names)
    ]
    text = f'**{table.title}.** On {plan.setting.title}.\n\n' + '\n'.join(lines) + '\n'
    if table.order:
        text += '\n' + '\n'.join(_orders(plan, names, results)) + '\n'
    if table.against:
        text += '\n' + '\n'.join(_differences(plan, names, results)) + '\n'
    notes = (_seeds(plan), table.note, plan.setting.note, *_starts(plan), *_coverage(plan, work_dir))
    return text + '\n' + '\n'.join(filter(None, notes)) + '\n'


def table_outline(plan: Plan) -> str:
    """Names the table, its rows, our columns and those of the paper; for a dry run."""
    table = plan.table
    rows = [row['name'] for row in table.rows]
    other = [title for title in table.paper if title not in plan.columns]
    lines = [
        f'{table.title}; on {plan.setting.title}',
        f'  rows ({len(rows)}): {"; ".join(rows)}',
        f'  columns ({len(plan.columns)}): {"; ".join(plan.columns)}',
    ]
    beside = [title for title in plan.columns if title in table.paper]
    for name, titles in (('with the paper beside them', beside), ("the paper's alone", other)):
        lines += [f'  columns {name} ({len(titles)}): {"; ".join(titles)}'] if titles else []
    if table.figure:
        lines.append(f'  figure: {table.figure.get("kind", "sweep")}')
    return '\n'.join(lines)


def _paper(values: Sequence[Optional[float]]) -> List[str]:
    return ['' if value is None else f'{value:.2f}' for value in values]


def _orders(plan: Plan, names: Sequence[str], results: Figures) -> List[str]:
    lines = []
    for title in plan.columns:
        values = [
            mean_and_deviation(results[row, title].values())[0] if (row, title) in results else None
            for row in range(len(names))
        ]
        if sum(value is not None for value in values) > 1:
            lines.append(f'- Order on {title}: {_order(names, values)}')
    for title, values in plan.table.paper.items():
        if sum(value is not None for value in values) > 1:
            lines.append(f'- Order in the paper, {title}: {_order(names, values)}')
    return lines


def _differences(plan: Plan, names: Sequence[str], results: Figures) -> List[str]:
    """The difference of each row to the row ``against``."""
    base, lines = names.index(plan.table.against), []
    for title in plan.columns:
        reference, parts = results.get((base, title), {}), []
        for row, name in enumerate(names):
            # Seed by seed, so that what all rows of a seed share cancels.
            values = {
                seed: value - reference[seed]
                for seed, value in results.get((row, title), {}).items()
                if seed in reference
            }
            if row != base and values:
                parts.append(f'{name} {_cell(values, len(plan.cells[row, title]), "+")}')
        if parts:
            lines.append(f'- Against {plan.table.against}, seed by seed, {title}: {", ".join(parts)}')
    return lines


def _seeds(plan: Plan) -> str:
    seeds = list(plan.seeds)
    if plan.table.seeds:
        counts = ', '.join(
            f'{name} {len(plan.table.seeds_of(name, seeds))}'
            for name in plan.table.seeds
            if any(title.startswith(name) for title in plan.columns)
        )
        return f'Mean +- sample standard deviation over seeds: {counts}.'
    if len(seeds) == 1:
        return f'Seed {seeds[0]}.'
    return f'Seeds {", ".join(map(str, seeds))}: mean +- sample standard deviation.'


def _starts(plan: Plan) -> List[str]:
    """A line for each base in use that has a ``start``: what it started from."""
    parts = [
        part
        for row in plan.table.rows
        for part in (row.get('steps') or (), *(row.get('fuse') or ()))
        if not isinstance(part, str)
    ]
    lines = []
    for base in dict.fromkeys(step['base'] for part in parts for step in part):
        start = plan.setting.bases.get(base, {}).get('start')
        if start is not None:
            random = (
                f'random weights (--start {base}=CHECKPOINT takes others, such as those of mmaction2 '
                'for Kinetics)'
            )
            lines.append(f'Base {base}: trained from {start or random}.')
    return lines


def _coverage(plan: Plan, work_dir: Path) -> List[str]:
    """How many of the published clips were tested, for data sets that know it.

    Rows are named where they differ.
    """
    # (data set, split) -> text -> names of rows.
    lines: Dict[Tuple[str, str], Dict[str, List[str]]] = {}
    for (number, _), cells in sorted(plan.cells.items(), key=lambda cell: cell[0][0]):
        for cell in cells:
            for row in (cell.run.tested(work_dir) or {}).get('coverage', ()):
                if 'expected' in row:
                    counts = f'{row["clips"]} of {row["expected"]} published clips'
                elif 'split_expected' in row:
                    of_all = f'{row["split_present"]} of {row["split_expected"]} published clips'
                    counts = f'{row["clips"]} clips of some glosses; of all glosses {of_all} are there'
                else:
                    continue
                names = lines.setdefault((row['name'], row['split']), {}).setdefault(counts, [])
                names.append(plan.table.rows[number]['name'])
    return [
        f'Coverage of {name}, {split}: {counts}'
        + (f' ({", ".join(dict.fromkeys(rows))})' if len(texts) > 1 else '')
        + '.'
        for (name, split), texts in lines.items()
        for counts, rows in texts.items()
    ]


def replace_block(path: Path, name: str, text: str) -> None:
    """Writes ``text`` between the marks of ``name`` in a page; the rest of the page stays.

    A page without the marks gets them at its end.
    """
    begin, end = f'<!-- {name} -->', f'<!-- end of {name} -->'
    block = f'{begin}\n{text.strip()}\n{end}'
    page = path.read_text(encoding='utf-8') if path.is_file() else ''
    if begin in page and end in page:
        # A function as replacement, since backslashes in a text would be escapes.
        page = re.sub(re.escape(begin) + '.*?' + re.escape(end), lambda _: block, page, flags=re.DOTALL)
    else:
        page = page.rstrip() + ('\n\n' if page else '') + block + '\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding='utf-8')


def draw_figure(plan: Plan, work_dir: Path) -> Path:
    """Draws our columns over ``figure['x']``, with their spread over seeds.

    Returns:
        Path: ``<table>_<setting>.png`` in the work folder.

    Raises:
        ConfigError: Nothing has been measured.
    """
    results, figure = figures(plan, work_dir), plan.table.figure
    x, lines = figure['x'], {}
    for title in plan.columns:
        rows = [row for row in range(len(x)) if (row, title) in results]
        if rows:
            spreads = [mean_and_deviation(results[row, title].values()) for row in rows]
            lines[title] = ([x[row] for row in rows], *zip(*spreads))
    if not lines:
        raise ConfigError(f'{plan.table.name}: nothing has been measured yet, so there is no figure')
    path = work_dir / f'{plan.table.name}_{plan.setting.name}.png'
    return plot_sweep(
        path,
        lines,
        figure.get('xlabel', ''),
        figure.get('ylabel', '%'),
        plan.table.title,
        figure.get('log', False),
    )
