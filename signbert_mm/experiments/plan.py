"""Which trainings a table needs, and which of their figures stand where."""

from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ..engine.runner.config import ConfigError, did_you_mean
from .definition import Setting, Table
from .fused_run import FusedRun
from .run import Run, change_types, resolve


@dataclass
class Cell:
    """One figure of one seed: a key of a run's test, or of the sum of several."""

    run: Union[Run, FusedRun]
    key: str
    seed: int


@dataclass
class Plan:
    """A table on a setting.

    Attributes:
        columns (list[str]): Titles of our columns.
        cells (dict[tuple[int, str], list[Cell]]): (row, column title) -> one cell a seed; absent where the
            row has no such figure.
        runs (list[Run]): All trainings, each after the one that it starts from.
        tests (set[Run]): Those of them whose test is wanted.
    """

    table: Table
    setting: Setting
    seeds: Sequence[int]
    columns: List[str] = field(default_factory=list)
    cells: Dict[Tuple[int, str], List[Cell]] = field(default_factory=dict)
    runs: List[Run] = field(default_factory=list)
    tests: Set[Run] = field(default_factory=set)


def _runs_of_row(
    row: Mapping, setting: Setting, seed: int, extra: Mapping, split: str, made: Dict[tuple, Run]
) -> Dict[str, Dict[str, Run]]:
    """Base -> variant -> run."""
    found: Dict[str, Dict[str, Run]] = {}
    parents: Dict[str, Optional[Run]] = {'': None}
    for step in row.get('steps') or ():
        base = setting.bases.get(step['base'])
        if base is None:
            raise ConfigError(
                f'setting {setting.name!r} has no base {step["base"]!r}, which row {row["name"]!r} needs. '
                f'{did_you_mean(step["base"], setting.bases)}'
            )
        if 'after' in step:
            if step['after'] not in found:
                raise ConfigError(
                    f'row {row["name"]!r}: no step before {step["base"]!r} has the base '
                    f'{step["after"]!r}, which it comes after'
                )
            parents = found[step['after']]
        runs = {}
        for variant, changes in (base.get('variants') or {'': {}}).items():
            config = changes.get('config', base.get('config'))
            parent = _parent(parents, variant, row, step)
            cfg = resolve(config, [base, changes, step, extra], seed)
            cfg.randomness.seed = base.get('seed', seed)
            if base.get('start'):
                if parent:
                    raise ConfigError(
                        f'row {row["name"]!r}: {step["base"]!r} starts from the step before '
                        f'and, by `start`, from {base["start"]!r}'
                    )
                cfg.merge_from_dict({'load_from': base['start'], 'default_hooks.load_report.new_head': True})
            if split and cfg.get('test_dataloader'):
                kind = (
                    'SignVideoDataset'
                    if cfg.test_dataloader.dataset.type == 'SignVideoDataset'
                    else 'PoseDataset'
                )
                change_types(cfg, {f'test_dataloader:{kind}': dict(split=split)}, config)
            run = Run(cfg, config, cfg.randomness.seed, parent, fit=base.get('fit'))
            runs[variant] = made.setdefault((run.name, run.test_key), run)
        found[step['base']] = parents = runs
    return found


def _parent(parents: Mapping[str, Optional[Run]], variant: str, row: Mapping, step: Mapping) -> Optional[Run]:
    """The run that a variant starts from: that of its name, or the only one."""
    if variant not in parents and len(parents) > 1:
        raise ConfigError(
            f'row {row["name"]!r}: variant {variant!r} of {step["base"]!r} has nothing to start from: the '
            'step before has the variants '
            f'{", ".join(map(repr, parents))}. Give both bases the same variants, or the step before only one'
        )
    return parents.get(variant, next(iter(parents.values())))


def make_plan(
    table: Table,
    setting: Setting,
    seeds: Sequence[int],
    options: Optional[Mapping] = None,
    split: str = '',
    made: Optional[Dict[tuple, Run]] = None,
    columns: Optional[Sequence[str]] = None,
) -> Plan:
    """The trainings of a table, seed by seed.

    Args:
        table, setting: What to measure, on what.
        seeds (Sequence[int]): Each gives every row once, but for variants that the table gives fewer.
        options (Mapping, optional): As ``--cfg-options``, for every training.
        split (str): Test on this split instead of 'test'.
        made (dict, optional): Runs of other plans, which this one then shares.
        columns (Sequence[str], optional): Titles of our columns, as printed, or patterns; only what they need
            is trained. None = all.

    Raises:
        ConfigError: No column has such a title, the setting lacks a base, a variant has nothing to start from
            or starts from two, or a config lacks what a change names or has no test.
    """
    plan = Plan(table, setting, seeds)
    made = {} if made is None else made
    titles = plan.columns = _titles(table, setting)
    wanted = None if columns is None else _chosen(table.name, 'column', titles, columns)
    for seed in seeds:
        by_name = {}
        for place, row in enumerate(table.rows):
            if row.get('fuse'):
                continue
            found = by_name[row['name']] = _runs_of_row(
                row, setting, seed, dict(options=options or {}), split, made
            )
            _add_runs(plan, found)
            for column in table.columns:
                for variant, run in _tested(column, found).items():
                    if seed in table.seeds_of(variant, seeds) and _has_cells(column, variant, wanted):
                        plan.tests.add(_with_test(run))
                        _add_cells(plan, place, column, variant, run, seed)
        for place, row in enumerate(table.rows):
            parts = [
                _part(part, row, by_name, setting, seed, dict(options=options or {}), split, made)
                for part in row.get('fuse') or ()
            ]
            for found in parts:
                _add_runs(plan, found)
            for column in table.columns if parts else ():
                tested = [_tested(column, found) for found in parts]
                for variant in [name for name in tested[0] if all(name in other for other in tested)]:
                    if seed not in table.seeds_of(variant, seeds) or not _has_cells(column, variant, wanted):
                        continue
                    runs = [_with_test(other[variant]) for other in tested]
                    plan.tests.update(runs)
                    _add_cells(plan, place, column, variant, FusedRun(runs), seed)
    strange = sorted({title for _, title in plan.cells} - set(titles))
    if strange:
        raise ConfigError(
            f'{table.name} on {setting.name!r}: bases of one column have other variants than '
            f'the first of them: {", ".join(strange)}'
        )
    if wanted is not None:
        plan.columns = [title for title in titles if title in wanted]
        shown = {
            title: values for title, values in table.paper.items() if title in wanted or _fits(title, columns)
        }
        plan.table = replace(table, paper=shown)
        plan.cells = {place: cells for place, cells in plan.cells.items() if place[1] in wanted}
    if wanted is not None or table.seeds:
        kept = {run for test in plan.tests for run in test.lineage()}
        plan.runs = [run for run in plan.runs if run in kept]
    return plan


def choose_rows(table: Table, rows: Sequence[str]) -> Table:
    """The table with some of its rows, in its own order.

    Args:
        table (Table): All of it.
        rows (Sequence[str]): Names of rows, without regard to case, or patterns of the shell such as
            ``'*mask*'``.

    Raises:
        ConfigError: One fits no row.
    """
    names = [row['name'] for row in table.rows]
    wanted = _chosen(table.name, 'row', names, rows)
    places = [place for place, name in enumerate(names) if name in wanted]
    steps = {row['name']: row.get('steps') for row in table.rows}
    kept = []
    for row in (table.rows[place] for place in places):
        if row.get('fuse'):  # what it sums may be a row that is not printed
            row = dict(
                row,
                fuse=[
                    steps[part] if isinstance(part, str) and part not in wanted else part
                    for part in row['fuse']
                ],
            )
        kept.append(row)
    figure = dict(table.figure, x=[table.figure['x'][place] for place in places]) if table.figure else {}
    return replace(
        table,
        rows=kept,
        paper={title: [values[place] for place in places] for title, values in table.paper.items()},
        against=table.against if table.against in wanted else '',
        figure=figure,
    )


def _titles(table: Table, setting: Setting) -> List[str]:
    titles = []
    for column in table.columns:
        variants = (setting.bases.get(_bases(column)[0]) or {}).get('variants') or {'': {}}
        titles += [f'{variant} {title}'.strip() for variant in variants for title in column['metrics']]
    return titles


def _chosen(table: str, what: str, names: Sequence[str], patterns: Sequence[str]) -> Set[str]:
    found: Set[str] = set()
    for pattern in patterns:
        exact = [name for name in names if name == pattern]
        fits = exact or [name for name in names if _fits(name, [pattern])]
        if not fits:
            raise ConfigError(f'{table}: there is no {what} {pattern!r}. {did_you_mean(pattern, names)}')
        found.update(fits)
    return found


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(
        name.lower() == pattern.lower() or fnmatch(name.lower(), pattern.lower()) for pattern in patterns
    )


def _has_cells(column: Mapping, variant: str, wanted: Optional[Set[str]]) -> bool:
    return wanted is None or any(f'{variant} {title}'.strip() in wanted for title in column['metrics'])


def _part(
    part: Union[str, Sequence[Mapping]], row: Mapping, by_name: Mapping, *arguments
) -> Dict[str, Dict[str, Run]]:
    """Base -> variant -> run, of one part of a row that sums."""
    return (
        by_name[part]
        if isinstance(part, str)
        else _runs_of_row(dict(name=row['name'], steps=part), *arguments)
    )


def _add_runs(plan: Plan, found: Mapping[str, Mapping[str, Run]]) -> None:
    for runs in found.values():
        plan.runs += [run for run in runs.values() if run not in plan.runs]


def _add_cells(
    plan: Plan, place: int, column: Mapping, variant: str, run: Union[Run, FusedRun], seed: int
) -> None:
    for title, key in column['metrics'].items():
        plan.cells.setdefault((place, f'{variant} {title}'.strip()), []).append(Cell(run, key, seed))


def _with_test(run: Run) -> Run:
    if run.cfg.get('test_dataloader') is None or run.cfg.get('test_evaluator') is None:
        raise ConfigError(
            f'{run.config}: the table shows figures of its test, and it has no test_dataloader '
            'or test_evaluator'
        )
    return run


def _bases(column: Mapping) -> Sequence[str]:
    return [column['base']] if isinstance(column['base'], str) else list(column['base'])


def _tested(column: Mapping, found: Mapping[str, Dict[str, Run]]) -> Dict[str, Run]:
    """Variant -> run, of the last step of a row whose base is one of the column's."""
    return next((found[base] for base in reversed(list(found)) if base in _bases(column)), {})
