"""Tables and data settings as data: the files under ``configs/<method>/ablation/``."""

import functools
import itertools
import os.path as osp
from dataclasses import dataclass, field
from glob import glob
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..engine.runner.config import ConfigError, config_roots, did_you_mean, read_config

_STEP_KEYS = {'base', 'options', 'by_type', 'after'}
# What a table's figure may show; :mod:`.figures` draws them.
FIGURE_KINDS = ('sweep', 'reconstruction', 'tsne', 'class_errors', 'signers')
_BASE_KEYS = {'config', 'options', 'by_type', 'variants', 'start', 'seed', 'fit'}


@dataclass
class Table:
    """One table of a paper.

    Attributes:
        name (str): The file's name.
        title (str): Printed above the table.
        columns (list[dict]): ``dict(base=.., metrics={title: key})``: figures of that base's test. Each
            variant of the base has its own columns. Several bases with the same variants may share a column:
            the last step of a row that has one of them counts.
        rows (list[dict]): ``dict(name=.., steps=[..])``. A step ``dict(base=.., options={..}, by_type={..})``
            is a training with that base's config and these changes. It starts from the weights of the
            previous step, or with ``after=..`` from those of the step with that base. A row ``dict(name=..,
            fuse=[..])`` sums the scores of two or more rows clip by clip, each given by name or as steps of
            its own. A row with neither is a row of the paper that has no config here.
        paper (dict[str, list]): The paper's figures: column title -> one figure a row, None where the paper
            has none.
        also (list[str]): Other names of the table.
        on (str): Name of the default setting.
        note (str): Printed below the table.
        corner (str): Head of the first column.
        order (bool): Print the order of the rows, ours and the paper's.
        against (str): Name of a row; the others' differences to it are printed, seed by seed.
        figure (dict): ``dict(xlabel=.., x=[a number a row])`` draws the columns over x, with ``log=True``
            over its logarithm; ``dict(kind=..)`` draws another figure of the papers: 'reconstruction' (with
            ``clips=4``), 'tsne' (with ``classes=20``), 'class_errors' or 'signers'; empty for none.
        seeds (dict[str, int]): Variant -> largest number of seeds; few labelled clips need more draws than
            many. The largest of these is the default number of seeds.
        folder (str): Folder of the definition; its settings are in ``on/`` there.
    """

    name: str
    folder: str
    title: str
    columns: List[dict]
    rows: List[dict]
    paper: Dict[str, List[Optional[float]]] = field(default_factory=dict)
    also: Sequence[str] = ()
    on: str = 'synthetic'
    note: str = ''
    corner: str = ''
    order: bool = False
    against: str = ''
    figure: Dict[str, Any] = field(default_factory=dict)
    seeds: Dict[str, int] = field(default_factory=dict)

    def seeds_of(self, variant: str, seeds: Sequence[int]) -> Sequence[int]:
        """Returns those of ``seeds`` that a variant uses."""
        return seeds[: self.seeds.get(variant, len(seeds))]


@dataclass
class Setting:
    """Data and configs to measure a table on: the file ``on/<name>.py`` beside the definitions.

    Attributes:
        name (str): The file's name.
        title (str): Printed in the table's title.
        bases (dict[str, dict]): ``dict(config=.., options={..}, by_type={..}, variants={title: changes})``:
            the config of each kind of training, and the changes of each variant of it (``options``,
            ``by_type``, ``config``), such as a vocabulary. ``start``: a checkpoint that a first step starts
            from, with a new head; '' = random weights. The table prints it if the key is present. ``seed``:
            one training with this seed serves all seeds of a row; '$seed' is still the row's. ``fit``:
            arguments of a logistic regression instead of a training, on the clips of ``train_dataloader``,
            tested on those of ``test_dataloader``.
        make (dict[str, dict]): Store folder -> arguments of ``write_synthetic_store``, for stores that are
            made if they are missing.
        videos (dict[str, dict]): Folder of videos -> arguments of ``draw_clips``, for videos that are drawn
            of the poses if they are missing.
        note (str): Printed below the table.

    As any config, the file may have ``custom_imports`` that register what its bases name.
    """

    name: str
    title: str
    bases: Dict[str, dict]
    make: Dict[str, dict] = field(default_factory=dict)
    videos: Dict[str, dict] = field(default_factory=dict)
    note: str = ''


def _ablation_folders() -> List[str]:
    return sorted(
        folder for root in config_roots()[:1] for folder in glob(osp.join(root, 'configs', '*', 'ablation'))
    )


def _content(path: str) -> Dict[str, Any]:
    content = {key: value for key, value in read_config(path).to_dict().items() if not key.startswith('_')}
    # mmengine has imported these modules already.
    content.pop('custom_imports', None)
    return content


def _shared(path: str, kind: type) -> Dict[str, dict]:
    """Name -> fields of definitions without a file: those in ``tables.py`` or ``settings.py`` beside it."""
    several = f'{kind.__name__.lower()}s'
    file = osp.join(osp.dirname(path), f'{several}.py')
    return _content(file)[several] if osp.isfile(file) else {}


def _is_defined(path: str, kind: type) -> bool:
    return osp.isfile(path) or _stem(path) in _shared(path, kind)


def _read(path: str, kind: type, **extra: str) -> Any:
    name = _stem(path)
    shared = {} if osp.isfile(path) else _shared(path, kind)
    content = shared[name] if name in shared else _content(path)
    known = set(kind.__dataclass_fields__) - {'name', *extra}
    unknown = sorted(key for key in content if key not in known)
    if unknown:
        raise ConfigError(
            f'{path}: {unknown[0]!r} is no field of a {kind.__name__.lower()}. '
            f'{did_you_mean(unknown[0], known)}'
        )
    absent = sorted(
        field for field in ('title', 'columns', 'rows', 'bases') if field in known and field not in content
    )
    if absent:
        raise ConfigError(f'{path}: the field {", ".join(absent)} is absent')
    return kind(name=name, **extra, **content)


def load_table(path: str) -> Table:
    """Reads a definition: a file, or an entry of ``tables.py`` in its folder.

    Raises:
        ConfigError: A field or a step is unknown or missing, or a column of the paper has another number of
            figures than there are rows.
    """
    table = _read(path, Table, folder=osp.dirname(osp.abspath(path)))
    named = [row['name'] for row in table.rows if row.get('steps')]
    for row in table.rows:
        parts = row.get('fuse') or ()
        own_steps = [part for part in parts if not isinstance(part, str)]
        for step in itertools.chain(row.get('steps') or (), *own_steps):
            _check(path, f'row {row.get("name")!r}', step, _STEP_KEYS, 'base')
        unknown = [part for part in parts if isinstance(part, str) and part not in named]
        if unknown or len(parts) == 1 or (parts and row.get('steps')):
            raise ConfigError(
                f'{path}: row {row.get("name")!r}: fuse takes two or more rows with steps, by name '
                f'({", ".join(named)}) or as lists of steps, and stands alone; got {list(parts)}'
            )
    for column in table.columns:
        _check(path, 'columns', column, {'base', 'metrics'}, 'base')
    for title, figures in table.paper.items():
        if len(figures) != len(table.rows):
            raise ConfigError(
                f'{path}: paper: {title!r} has {len(figures)} figures, and the table {len(table.rows)} rows'
            )
    if table.against and table.against not in [row['name'] for row in table.rows]:
        raise ConfigError(f'{path}: against: there is no row {table.against!r}')
    kind = table.figure.get('kind', 'sweep')
    if kind not in FIGURE_KINDS:
        raise ConfigError(f'{path}: no figure of the kind {kind!r}. {did_you_mean(kind, FIGURE_KINDS)}')
    if kind == 'class_errors' and len(table.rows) != 2:
        raise ConfigError(f'{path}: figure: class_errors compares two rows, got {len(table.rows)}')
    if table.figure and kind == 'sweep' and len(table.figure.get('x', ())) != len(table.rows):
        raise ConfigError(
            f'{path}: figure: x has {len(table.figure.get("x", ()))} numbers, and the table '
            f'{len(table.rows)} rows'
        )
    return table


def _stem(path: str) -> str:
    return osp.splitext(osp.basename(path))[0]


def _check(path: str, where: str, part: Mapping, known: set, needed: str) -> None:
    unknown = sorted(set(part) - known)
    if unknown or needed not in part:
        raise ConfigError(
            f'{path}: {where}: {dict(part)} must have {needed!r} and may have {sorted(known - {needed})}'
        )


def list_tables() -> Dict[str, str]:
    """Paths of the definitions that come with the project, by ``<method>/<name>``, for :func:`load_table`."""
    return {
        f'{osp.basename(osp.dirname(folder))}/{name}': osp.join(folder, f'{name}.py')
        for folder in _ablation_folders()
        for name in _names(folder, Table)
    }


def _names(folder: str, kind: type) -> List[str]:
    """Names of the definitions in a folder: its files, and the entries of its shared one."""
    several = f'{kind.__name__.lower()}s'
    files = [_stem(file) for file in glob(osp.join(folder, '*.py'))]
    return sorted({*files, *_shared(osp.join(folder, several), kind)} - {several})


def find_table(name: str) -> Table:
    """Loads a table by its name, one of its other names, ``<method>/<name>``, or its file.

    Raises:
        ConfigError: No table or several tables have this name.
    """
    if name.endswith('.py') and _is_defined(name, Table):
        return load_table(name)
    known = list_tables()
    if name in known:
        return load_table(known[name])
    names = _names_of_tables(tuple(known.items()))
    matches = [key for key, others in names.items() if name in others]
    if len(matches) > 1:
        raise ConfigError(f'{name!r} is the name of several tables; say which: {", ".join(matches)}')
    if not matches:
        aliases = [alias for others in names.values() for alias in others]
        raise ConfigError(f'there is no table {name!r}. {did_you_mean(name, aliases)}')
    return load_table(known[matches[0]])


@functools.cache
def _names_of_tables(known: Tuple[Tuple[str, str], ...]) -> Dict[str, Tuple[str, ...]]:
    """All names of each table. To learn them each definition is read, once in a process."""
    tables = {key: load_table(path) for key, path in known}
    return {key: (table.name, *table.also) for key, table in tables.items()}


def load_setting(table: Table, name: str, start: Optional[Mapping[str, str]] = None) -> Setting:
    """Loads the setting ``on/<name>.py`` beside a table's definition, an entry of ``settings.py`` there, or a
    file.

    Args:
        table (Table): The table.
        name (str): Name of the setting, or its file.
        start (Mapping, optional): Base -> checkpoint, instead of the setting's ``start`` of these bases.

    Raises:
        ConfigError: There is no such setting, a base in it has no config, or ``start`` names a base that has
            no ``start``.
        FileNotFoundError: A checkpoint of ``start`` does not exist.
    """
    path = name if name.endswith('.py') else osp.join(table.folder, 'on', f'{name}.py')
    if not _is_defined(path, Setting):
        known = _names(osp.join(table.folder, 'on'), Setting)
        raise ConfigError(
            f'{table.name}: nothing says how to measure on {name!r}. {did_you_mean(name, known)} A setting '
            f'is a file in {table.folder}/on, or an entry of settings.py there'
        )
    setting = _read(path, Setting)
    for base, content in setting.bases.items():
        unknown = sorted(set(content) - _BASE_KEYS)
        # The config is the base's, or each variant has its own.
        variants = content.get('variants', {'': {}}).values()
        if unknown or not (content.get('config') or all(variant.get('config') for variant in variants)):
            raise ConfigError(
                f'setting {setting.name!r}: base {base!r} must have a config, and may have '
                f'{sorted(_BASE_KEYS - {"config"})}; unknown: {unknown}'
            )
    for base, checkpoint in (start or {}).items():
        if 'start' not in setting.bases.get(base, {}):
            known = [name for name, content in setting.bases.items() if 'start' in content]
            raise ConfigError(
                f'setting {setting.name!r}: no base {base!r} that starts from given weights. '
                f'{did_you_mean(base, known) if known else "None does here."}'
            )
        # An address cannot be checked here.
        if '://' not in checkpoint and not osp.isfile(checkpoint):
            raise FileNotFoundError(
                f'checkpoint {checkpoint} does not exist, which {base!r} would start from'
            )
        setting.bases[base]['start'] = checkpoint
    return setting
