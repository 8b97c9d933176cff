"""Tables in Markdown: ours beside the paper's."""

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
    """(row, column title) -> seed -> figure, of the seeds that have been tested.

    Raises:
        ConfigError: A test has no such key.
    """
    found: Figures = {}
    for place, cells in plan.cells.items():
        for cell in cells:
            record = cell.run.tested(work_dir)
            if record is None:
                continue
            if cell.key not in record['metrics']:
                raise ConfigError(
                    f'{plan.table.name}: the test of {cell.run.name} has no {cell.key!r}. '
                    f'{did_you_mean(cell.key, record["metrics"])}'
                )
            found.setdefault(place, {})[cell.seed] = record['metrics'][cell.key]
    return found


def mean_and_deviation(values: Iterable[float]) -> Tuple[float, Optional[float]]:
    """Mean and, of two or more, the sample standard deviation (n - 1)."""
    values = list(values)
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1)) if len(
        values
    ) > 1 else None


def _spread(values: Iterable[float], sign: str = '') -> str:
    mean, deviation = mean_and_deviation(values)
    return f'{mean:{sign}.1f}' + ('' if deviation is None else f' +- {deviation:.1f}')


def _cell(values: Mapping[int, float], seeds: int) -> str:
    if not values:
        return NOT_MEASURED
    return _spread(values.values()) + (f' ({len(values)} of {seeds} seeds)' if len(values) < seeds else '')


def _order(names: Sequence[str], values: Sequence[Optional[float]]) -> str:
    there = [(value, name) for name, value in zip(names, values) if value is not None]
    ranked = sorted(there, key=lambda pair: -pair[0])
    parts = [ranked[0][1]]
    for (above, _), (value, name) in zip(ranked, ranked[1:]):
        parts.append(f'{"=" if value == above else ">"} {name}')
    return ' '.join(parts)


def table_markdown(plan: Plan, work_dir: Path) -> str:
    """The table: a column of ours each, the paper's of the same title right beside it, its other columns at
    the end.

    Ours are means over seeds +- the sample standard deviation; what is not there is "not measured".
    """
    table, found = plan.table, figures(plan, work_dir)
    names = [row['name'] for row in table.rows]
    heads, columns = [], []
    for title in plan.columns:
        heads.append(title)
        columns.append(
            [
                _cell(found.get((place, title), {}), len(plan.cells.get((place, title), ())))
                for place in range(len(names))
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
        f'| {name} | ' + ' | '.join(column[place] for column in columns) + ' |'
        for place, name in enumerate(names)
    ]
    text = f'**{table.title}.** On {plan.setting.title}.\n\n' + '\n'.join(lines) + '\n'
    if table.order:
        text += '\n' + '\n'.join(_orders(plan, names, found)) + '\n'
    if table.against:
        text += '\n' + '\n'.join(_differences(plan, names, found)) + '\n'
    notes = [
        note
        for note in (_seeds(plan), table.note, plan.setting.note, *_starts(plan), *_coverage(plan, work_dir))
        if note
    ]
    return text + '\n' + '\n'.join(notes) + '\n'


def _paper(values: Sequence[Optional[float]]) -> List[str]:
    return ['' if value is None else f'{value:.2f}' for value in values]


def _orders(plan: Plan, names: Sequence[str], found: Figures) -> List[str]:
    lines = []
    for title in plan.columns:
        values = [
            mean_and_deviation(found[place, title].values())[0] if (place, title) in found else None
            for place in range(len(names))
        ]
        if sum(value is not None for value in values) > 1:
            lines.append(f'- Order on {title}: {_order(names, values)}')
    known = {
        title: values
        for title, values in plan.table.paper.items()
        if sum(value is not None for value in values) > 1
    }
    return lines + [
        f'- Order in the paper, {title}: {_order(names, values)}' for title, values in known.items()
    ]


def _differences(plan: Plan, names: Sequence[str], found: Figures) -> List[str]:
    """Of each row to the row ``against``, seed by seed, so that what all rows of a seed share cancels."""
    base, lines = names.index(plan.table.against), []
    for title in plan.columns:
        reference, parts = found.get((base, title), {}), []
        for place, name in enumerate(names):
            values = [
                value - reference[seed]
                for seed, value in found.get((place, title), {}).items()
                if seed in reference
            ]
            if place != base and values:
                parts.append(f'{name} {_spread(values, "+")}')
        if parts:
            lines.append(f'- Against {plan.table.against}, seed by seed, {title}: {", ".join(parts)}')
    return lines


def _seeds(plan: Plan) -> str:
    seeds = list(plan.seeds)
    if plan.table.seeds:
        fewer = {
            name: len(plan.table.seeds_of(name, seeds))
            for name in plan.table.seeds
            if any(title.startswith(name) for title in plan.columns)
        }
        return (
            'Mean +- sample standard deviation over seeds: '
            + ', '.join(f'{name} {count}' for name, count in fewer.items())
            + '.'
        )
    return (
        f'Seeds {", ".join(map(str, seeds))}: mean +- sample standard deviation.'
        if len(seeds) > 1
        else f'Seed {seeds[0]}.'
    )


def _starts(plan: Plan) -> List[str]:
    """What the bases with a ``start`` started from, of those that rows use."""
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
    """How many of the published clips were tested, of data sets that know it; the rows are named where they
    differ.
    """
    found: Dict[Tuple[str, str], Dict[str, List[str]]] = {}
    for (place, _), cells in sorted(plan.cells.items(), key=lambda cell: cell[0][0]):
        for cell in cells:
            for row in (cell.run.tested(work_dir) or {}).get('coverage', ()):
                if 'expected' in row:
                    counts = f'{row["clips"]} of {row["expected"]} published clips'
                elif 'split_expected' in row:
                    of_all = f'{row["split_present"]} of {row["split_expected"]} published clips'
                    counts = f'{row["clips"]} clips of some glosses; of all glosses {of_all} are there'
                else:
                    continue
                found.setdefault((row['name'], row['split']), {}).setdefault(counts, []).append(
                    plan.table.rows[place]['name']
                )
    return [
        f'Coverage of {name}, {split}: {counts}'
        + (f' ({", ".join(dict.fromkeys(rows))})' if len(texts) > 1 else '')
        + '.'
        for (name, split), texts in found.items()
        for counts, rows in texts.items()
    ]


def replace_block(path: Path, name: str, text: str) -> None:
    """Writes ``text`` between the marks of ``name`` in a page; a page without them gets them at its end, and
    the rest of it stays.
    """
    begin, end = f'<!-- {name} -->', f'<!-- end of {name} -->'
    block = f'{begin}\n{text.strip()}\n{end}'
    page = path.read_text(encoding='utf-8') if path.is_file() else ''
    if begin in page and end in page:
        page = re.sub(re.escape(begin) + '.*?' + re.escape(end), lambda _: block, page, flags=re.DOTALL)
    else:
        page = page.rstrip() + ('\n\n' if page else '') + block + '\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding='utf-8')


def draw_figure(plan: Plan, work_dir: Path) -> Path:
    """Our columns over the definition's ``figure['x']``, a line each with its spread over seeds, as
    ``<table>_<setting>.png`` in the work folder.

    Raises:
        ConfigError: Nothing has been measured.
    """
    found, figure = figures(plan, work_dir), plan.table.figure
    x, lines = figure['x'], {}
    for title in plan.columns:
        places = [place for place in range(len(x)) if (place, title) in found]
        if places:
            lines[title] = (
                [x[place] for place in places],
                *zip(*(mean_and_deviation(found[place, title].values()) for place in places)),
            )
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
