"""Plans a table: the trainings that it needs, and the figure of each cell."""

from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ..engine.runner.config import ConfigError, did_you_mean
from .definition import Setting, Table
from .fused_run import FusedRun
from .run import Run, change_types, resolve


@dataclass
class Cell:
    """One figure of one seed: a key of a run's test, or of a sum of several runs."""

    run: Union[Run, FusedRun]
    key: str
    seed: int


@dataclass
class Plan:
    """A table on a setting, with its runs.

    Attributes:
        columns (list[str]): Titles of our columns.
        cells (dict[tuple[int, str], list[Cell]]): (row, column title) -> one cell a seed; no entry where the
            row has no such figure.
        runs (list[Run]): All trainings, each after its parent.
        tests (set[Run]): Those of them to test.
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
    """The runs of a row for one seed: base -> variant -> run."""
    by_base: Dict[str, Dict[str, Run]] = {}
    parents: Dict[str, Optional[Run]] = {'': None}
    for step in row.get('steps') or ():
        base = setting.bases.get(step['base'])
        if base is None:
            raise ConfigError(
                f'setting {setting.name!r} has no base {step["base"]!r}, which row {row["name"]!r} needs. '
                f'{did_you_mean(step["base"], setting.bases)}'
            )
        if 'after' in step:
            if step['after'] not in by_base:
                raise ConfigError(
                    f'row {row["name"]!r}: no step before {step["base"]!r} has the base '
                    f'{step["after"]!r}, which it comes after'
                )
            parents = by_base[step['after']]
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
                # The test data may be wrapped, such as in ConcatDataset, so its type is looked up below it.
                is_video = cfg.test_dataloader.dataset.type == 'SignVideoDataset'
                kind = 'SignVideoDataset' if is_video else 'PoseDataset'
                change_types(cfg, {f'test_dataloader:{kind}': dict(split=split)}, config)
            # Rows and tables share a run that has the same training and test.
            run = Run(cfg, config, cfg.randomness.seed, parent, fit=base.get('fit'))
            runs[variant] = made.setdefault((run.name, run.test_key), run)
        # By default the next step starts from this one.
        by_base[step['base']] = parents = runs
    return by_base


def _parent(parents: Mapping[str, Optional[Run]], variant: str, row: Mapping, step: Mapping) -> Optional[Run]:
    """The run that a variant starts from: that of the same variant, or the only one."""
    if variant not in parents and len(parents) > 1:
        raise ConfigError(
            f'row {row["name"]!r}: variant {variant!r} of {step["base"]!r} has nothing to start from: the '
            f'step before has the variants {", ".join(map(repr, parents))}. Give both bases the same '
            'variants, or the step before only one'
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
    """Plans the trainings and tests of a table.

    Args:
        table (Table): What to measure.
        setting (Setting): What to measure it on.
        seeds (Sequence[int]): Every row is run once a seed. The table may give some variants fewer seeds.
        options (Mapping, optional): As ``--cfg-options``, for every training.
        split (str): Test on this split instead of 'test'.
        made (dict, optional): Runs of other plans, to share with this one.
        columns (Sequence[str], optional): Titles of our columns, as printed, or patterns. Only what they need
            is trained. None = all.

    Raises:
        ConfigError: No column has such a title, the setting lacks a base, a variant has no start or two, or a
            config has no test or lacks what a change names.
    """
    plan = Plan(table, setting, seeds)
    made = {} if made is None else made
    extra = dict(options=options or {})
    titles = plan.columns = _titles(table, setting)
    selected = None if columns is None else _select(table.name, 'column', titles, columns)
    for seed in seeds:
        by_name = {}
        for number, row in enumerate(table.rows):
            if row.get('fuse'):
                continue
            by_base = by_name[row['name']] = _runs_of_row(row, setting, seed, extra, split, made)
            _add_runs(plan, by_base)
            for column in table.columns:
                for variant, run in _tested(column, by_base).items():
                    if seed in table.seeds_of(variant, seeds) and _has_cells(column, variant, selected):
                        plan.tests.add(_with_test(run))
                        _add_cells(plan, number, column, variant, run, seed)
        # Rows that sum others come second, since they may name a later row.
        for number, row in enumerate(table.rows):
            parts = [
                by_name[part]
                if isinstance(part, str)
                else _runs_of_row(dict(name=row['name'], steps=part), setting, seed, extra, split, made)
                for part in row.get('fuse') or ()
            ]
            for by_base in parts:
                _add_runs(plan, by_base)
            for column in table.columns if parts else ():
                tested = [_tested(column, by_base) for by_base in parts]
                for variant in [name for name in tested[0] if all(name in other for other in tested)]:
                    if seed in table.seeds_of(variant, seeds) and _has_cells(column, variant, selected):
                        runs = [_with_test(other[variant]) for other in tested]
                        plan.tests.update(runs)
                        _add_cells(plan, number, column, variant, FusedRun(runs), seed)
    unknown = sorted({title for _, title in plan.cells} - set(titles))
    if unknown:
        raise ConfigError(
            f'{table.name} on {setting.name!r}: bases of one column have other variants than '
            f'the first of them: {", ".join(unknown)}'
        )
    if selected is not None:
        plan.columns = [title for title in titles if title in selected]
        paper = {
            title: values
            for title, values in table.paper.items()
            if title in selected or _matches(title, columns)
        }
        plan.table = replace(table, paper=paper)
        plan.cells = {cell: values for cell, values in plan.cells.items() if cell[1] in selected}
    if table.figure.get('kind') in ('class_errors', 'signers'):
        # Drawn of the clips' scores.
        for run in plan.tests:
            run.keep_scores = True
    # Columns or seeds that are left out may leave runs that no test needs.
    if selected is not None or table.seeds:
        needed = {run for test in plan.tests for run in test.lineage()}
        plan.runs = [run for run in plan.runs if run in needed]
    return plan


def choose_rows(table: Table, rows: Sequence[str]) -> Table:
    """Returns the table with some of its rows, in the table's order.

    Args:
        table (Table): The table with all rows.
        rows (Sequence[str]): Names of rows, in any case, or shell patterns such as ``'*mask*'``.

    Raises:
        ConfigError: A name or pattern matches no row.
    """
    names = [row['name'] for row in table.rows]
    selected = _select(table.name, 'row', names, rows)
    indices = [index for index, name in enumerate(names) if name in selected]
    steps = {row['name']: row.get('steps') for row in table.rows}
    kept = []
    for row in (table.rows[index] for index in indices):
        # A row that is summed but not selected is replaced by its steps.
        if row.get('fuse'):
            lacks = [isinstance(part, str) and part not in selected for part in row['fuse']]
            row = dict(row, fuse=[steps[part] if lack else part for part, lack in zip(row['fuse'], lacks)])
        kept.append(row)
    figure = dict(table.figure)
    if 'x' in figure:
        figure['x'] = [figure['x'][index] for index in indices]
    return replace(
        table,
        rows=kept,
        paper={title: [values[index] for index in indices] for title, values in table.paper.items()},
        against=table.against if table.against in selected else '',
        figure=figure,
    )


def _titles(table: Table, setting: Setting) -> List[str]:
    titles = []
    for column in table.columns:
        variants = variants_of(column, setting)
        titles += [f'{variant} {title}'.strip() for variant in variants for title in column['metrics']]
    return titles


def variants_of(column: Mapping, setting: Setting) -> List[str]:
    """Names of a column's variants, ``['']`` where it has none."""
    # Bases that share a column have the same variants; the first one names them.
    return list((setting.bases.get(_bases(column)[0]) or {}).get('variants') or {'': {}})


def _select(table: str, what: str, names: Sequence[str], patterns: Sequence[str]) -> Set[str]:
    selected: Set[str] = set()
    for pattern in patterns:
        # An exact name comes first: it may contain * or differ from another in case alone.
        matches = [name for name in names if name == pattern]
        matches = matches or [name for name in names if _matches(name, [pattern])]
        if not matches:
            raise ConfigError(f'{table}: there is no {what} {pattern!r}. {did_you_mean(pattern, names)}')
        selected.update(matches)
    return selected


def _matches(name: str, patterns: Sequence[str]) -> bool:
    name = name.lower()
    return any(name == pattern or fnmatch(name, pattern) for pattern in map(str.lower, patterns))


def _has_cells(column: Mapping, variant: str, selected: Optional[Set[str]]) -> bool:
    return selected is None or any(f'{variant} {title}'.strip() in selected for title in column['metrics'])


def _add_runs(plan: Plan, by_base: Mapping[str, Mapping[str, Run]]) -> None:
    for runs in by_base.values():
        plan.runs += [run for run in runs.values() if run not in plan.runs]


def _add_cells(
    plan: Plan, number: int, column: Mapping, variant: str, run: Union[Run, FusedRun], seed: int
) -> None:
    for title, key in column['metrics'].items():
        plan.cells.setdefault((number, f'{variant} {title}'.strip()), []).append(Cell(run, key, seed))


def _with_test(run: Run) -> Run:
    if run.cfg.get('test_dataloader') is None or run.cfg.get('test_evaluator') is None:
        raise ConfigError(
            f'{run.config}: the table shows figures of its test, and it has no test_dataloader '
            'or test_evaluator'
        )
    return run


def _bases(column: Mapping) -> Sequence[str]:
    return [column['base']] if isinstance(column['base'], str) else list(column['base'])


def _tested(column: Mapping, by_base: Mapping[str, Dict[str, Run]]) -> Dict[str, Run]:
    """Variant -> run, of a row's last step whose base is one of the column's."""
    return next((by_base[base] for base in reversed(list(by_base)) if base in _bases(column)), {})
