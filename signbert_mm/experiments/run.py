"""One training of a table: its resolved config and its folder."""

import copy
import hashlib
import json
import os
import os.path as osp
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set

from mmengine.config import Config

from ..datasets.store_format import META, file_digest
from ..datasets.synthetic import SYNTHETIC_NOTE
from ..engine.runner.config import ConfigError, load_config
from ..engine.runner.options import merge_options

# Top-level keys that do not change the weights.
_NO_TRAINING = (
    'work_dir',
    'experiment_name',
    'log_level',
    'log_processor',
    'visualizer',
    'vis_backends',
    'resume',
    'launcher',
    'env_cfg',
    'auto_scale_lr',
)
# Keys at any depth that change no result, and default hooks that change none.
_NO_RESULT = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor', 'prepare')
_NO_RESULT_HOOKS = ('timer', 'logger', 'checkpoint')


def _plain(node: Any, cfg: Mapping, seed: int) -> Any:
    """Copies a config deeply and replaces its '$' texts, see :func:`resolve`."""
    if isinstance(node, Mapping):
        return {
            key: _plain(value, cfg, seed)
            for key, value in node.items()
            if not str(key).startswith('_') or str(key) == '_delete_'
        }
    if isinstance(node, (list, tuple)):
        return type(node)(_plain(value, cfg, seed) for value in node)
    if not (isinstance(node, str) and node.startswith('$')):
        return node
    if node == '$seed':
        return seed
    path, _, divisor = node[1:].partition('/')
    value: Any = cfg
    for part in path.split('.'):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        raise ConfigError(f'config: {node!r} stands for a value that the config does not have')
    if not divisor:
        return value
    if not (isinstance(value, int) and divisor.isdigit() and int(divisor) and value % int(divisor) == 0):
        raise ConfigError(f'config: {node!r}: {value!r} cannot be divided by {divisor!r} without a rest')
    return value // int(divisor)


@lru_cache(maxsize=64)
def _loaded(config: str) -> Config:
    # The file is read again for each run, when the working folder may be another.
    return load_config(osp.abspath(config) if osp.isfile(config) else config)


def _fresh(cfg: Config, seed: int) -> Config:
    content = cfg.to_dict()
    # With its text, since a config that is put together has no file to read.
    return Config(_plain(content, content, seed), cfg_text=cfg.text, filename=cfg.filename)


def _dicts(node: Any) -> Iterator[dict]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from _dicts(value)


def change_types(cfg: Config, by_type: Mapping[str, Mapping], where: str) -> None:
    """Changes all parts of a type in place; see :func:`resolve`."""
    for key, values in by_type.items():
        path, _, name = key.rpartition(':')
        node: Any = cfg._cfg_dict
        for part in path.split('.') if path else ():
            node = node.get(part) or {}
        parts = [part for part in _dicts(node) if part.get('type') == name]
        if not parts:
            raise ConfigError(
                f'{where}: by_type names {key!r}, and there is no {name} in {path or "the config"}'
            )
        for part in parts:
            part.update(copy.deepcopy(dict(values)))


def resolve(config: str, changes: Sequence[Mapping], seed: int) -> Config:
    """Loads a config and applies changes to it.

    The text '$seed' anywhere becomes the seed, '$a.b' the config's value of ``a.b``, '$a.b/4' a quarter
    of it.

    Args:
        config (str): Config file.
        changes (Sequence[Mapping]): Each with ``options`` (as ``--cfg-options``) and ``by_type``: ``{'Type':
            values}`` for all parts of this type, or ``{'train_dataloader:Type': values}`` for those below a
            key.
        seed (int): Seed of the run.

    Raises:
        ConfigError: A key is probably misspelt, the config has no part of a type, or a '$' text names no
            value or one that cannot be divided.
    """
    cfg = _fresh(_loaded(config), seed)
    for change in changes:
        options = copy.deepcopy(dict(change.get('options') or {}))
        merge_options(cfg, options)
        change_types(cfg, change.get('by_type') or {}, config)
    # Again, for the '$' texts of the changes.
    cfg = _fresh(cfg, seed)
    cfg.randomness = dict(cfg.get('randomness') or {}, seed=seed)
    return cfg


def _without(node: Any, keys: Sequence[str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _without(value, keys) for key, value in node.items() if key not in keys}
    return [_without(value, keys) for value in node] if isinstance(node, (list, tuple, range)) else node


def training_part(cfg: Config) -> dict:
    """The part of a config that the weights depend on."""
    part = {
        key: value
        for key, value in cfg.to_dict().items()
        if key not in _NO_TRAINING and not key.startswith(('val_', 'test_'))
    }
    part['default_hooks'] = {
        key: value for key, value in (part.get('default_hooks') or {}).items() if key not in _NO_RESULT_HOOKS
    }
    part['model'] = dict(
        part['model'],
        data_preprocessor=_without(part['model'].get('data_preprocessor') or {}, ['test_pipeline']),
    )
    return _without(part, _NO_RESULT)


def test_part(cfg: Config) -> dict:
    """The part of a config that the figures depend on, besides the weights."""
    pipeline = (cfg.model.get('data_preprocessor') or {}).get('test_pipeline')
    part = dict(data=cfg.get('test_dataloader'), metric=cfg.get('test_evaluator'), pipeline=pipeline)
    loop = cfg.get('test_cfg') or {}
    # The default loop is left out: a config may name it or not.
    return _without(dict(part, loop=loop) if loop.get('type', 'TestLoop') != 'TestLoop' else part, _NO_RESULT)


def fingerprint(value: Any) -> str:
    """Eight hex digits of nested plain values."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=4).hexdigest()


def data_fingerprints(meta: dict) -> List[str]:
    """Fingerprints of a store's data.

    Args:
        meta (dict): The store's ``meta.json``.

    Returns:
        list[str]: The first is recorded; the others are those of older records.
    """
    # The last bits of synthetic signs depend on the processor. Their store is known by its arguments, so that
    # a table can go on where the store was made again on another machine.
    files, notes = fingerprint(meta.get('files')), meta.get('notes') or {}
    if not isinstance(notes, dict) or notes.get('note') != SYNTHETIC_NOTE or 'arguments' not in notes:
        return [files]
    names = ('layout', 'dtype', 'hand_rule', 'clips', 'frames', 'splits')
    made = dict({'generator': 1}, **notes)
    return [fingerprint(dict(made=made, **{name: meta.get(name) for name in names})), files]


def _leaves(node: Any, path: tuple = ()) -> Iterator[tuple]:
    is_list = isinstance(node, (list, tuple))
    if isinstance(node, dict) or (is_list and any(isinstance(value, (dict, list, tuple)) for value in node)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(value, (*path, key))
    elif is_list:
        # A list of numbers is one leaf; a long one is given by its length.
        yield path, '-'.join(map(str, node)) if len(node) < 4 else str(len(node))
    else:
        yield path, str(node)


def _changes_in_words(cfg: Config, config: str) -> str:
    """The changes of a config in words, short enough for a folder's name."""
    original = dict(_leaves(training_part(_fresh(_loaded(config), 0))))
    leaves = _leaves(training_part(cfg))
    changed = [(path[-1], text) for path, text in leaves if original.get(path) != text]
    words = [f'{key}-{text}' for key, text in changed if key not in ('seed', 'type')]
    words += [text for key, text in changed if key == 'type']
    return re.sub(r'[^\w.-]+', '-', '_'.join(dict.fromkeys(words)))[:60].strip('-_')


def _file_names(part: Mapping) -> Set[str]:
    """The texts of a config that may name a file."""
    texts = {value for node in _dicts(part) for value in node.values() if isinstance(value, str)}
    # A word without a suffix, such as the split 'test', is no name of a file.
    return {text for text in texts if osp.splitext(text)[1]}


@lru_cache(maxsize=64)
def _digest(path: str, changed: int) -> str:
    # A changed file has another time and is read again.
    return file_digest(path)


@dataclass(eq=False)
class Run:
    """A training and its test.

    Attributes:
        cfg (Config): The resolved config.
        config (str): Its file.
        seed (int): The seed.
        parent (Run, optional): The training whose weights this one starts from.
        keep_scores (bool): Its test also saves the clips' scores, for rows that sum them.
        fit (dict, optional): Arguments of a logistic regression, which replaces training and model.
    """

    cfg: Config
    config: str
    seed: int
    parent: Optional['Run'] = None
    keep_scores: bool = False
    fit: Optional[dict] = None

    def __post_init__(self) -> None:
        # The folder's name has this key, so that a changed config never takes an old result.
        part = dict(training_part(self.cfg), parent=self.parent.key if self.parent else None)
        if self.fit is not None:
            clips = _without(self.cfg.train_dataloader.dataset.to_dict(), ['pipeline', *_NO_RESULT])
            part = dict(data=clips, fit=self.fit)
        tested = test_part(self.cfg)
        self.key, self.test_key = fingerprint(part), fingerprint(tested)
        # With a parent, its checkpoint takes the place of this file.
        trained = {key: value for key, value in part.items() if key != 'load_from' or not self.parent}
        self._names = dict(train=_file_names(trained), test=_file_names(tested))
        self.stem = osp.splitext(osp.basename(self.config))[0]
        words = [_changes_in_words(self.cfg, self.config)] if self.fit is None else ['logistic_regression']
        if self.parent:
            words.append('_'.join(word for word in ('from', self.parent.words, self.parent.key) if word))
        self.words = '_'.join(word for word in words if word)
        self.name = '_'.join(word for word in (self.stem, self.words, f's{self.seed}', self.key) if word)

    def folder(self, work_dir: Path) -> Path:
        """The run's folder."""
        return work_dir / self.name

    def stores(self, *kinds: str) -> Dict[str, str]:
        """Store folder -> fingerprint of its data, for the existing stores of training or test.

        Args:
            *kinds (str): 'train', 'test' or both.
        """
        return {store: data_fingerprints(meta)[0] for store, meta in self._metas(kinds).items()}

    def _metas(self, kinds: Sequence[str]) -> Dict[str, dict]:
        """Store folder -> its ``meta.json``."""
        metas = {}
        keys = [f'{kind}_{key}' for kind in kinds for key in ('dataloader', 'cfg')]
        for part in _dicts([self.cfg.get(key) for key in keys]):
            path = Path(str(part.get('store'))) / META
            if 'store' in part and path.is_file():
                metas[str(part['store'])] = json.loads(path.read_text(encoding='utf-8'))
        return metas

    def files(self, *kinds: str) -> Dict[str, str]:
        """File -> digest of its content, for the existing files that a config names, such as ``load_from``.

        Args:
            *kinds (str): As for :meth:`stores`.
        """
        names = sorted({name for kind in kinds for name in self._names[kind] if osp.isfile(name)})
        return {name: _digest(osp.abspath(name), os.stat(name).st_mtime_ns) for name in names}

    def trained(self, work_dir: Path) -> Optional[dict]:
        """The record of the training (``seconds``, ``checkpoint``, ..); None if it is not finished.

        Raises:
            ConfigError: The data, or a checkpoint that it started from, has changed since.
        """
        if self.fit is not None:
            return dict(seconds=0.0, resumed=True)
        return self._record(self.folder(work_dir) / 'trained.json', ['train'])

    def tested(self, work_dir: Path) -> Optional[dict]:
        """The record of the test (``metrics``, ``coverage``, ..); None if it is not finished.

        Raises:
            ConfigError: The data of the test has changed since, or what the trainings before it read.
        """
        for run in self.lineage():
            run.trained(work_dir)
        # The test of a logistic regression is its training too.
        kinds = ['test'] if self.fit is None else ['train', 'test']
        return self._record(self.folder(work_dir) / f'test_{self.test_key}.json', kinds)

    def scores(self, work_dir: Path) -> Path:
        """The file of the clips' scores."""
        return self.folder(work_dir) / f'scores_{self.test_key}.npz'

    def is_tested(self, work_dir: Path) -> bool:
        """Whether the test is recorded and, with ``keep_scores``, its scores are saved."""
        return self.tested(work_dir) is not None and (not self.keep_scores or self.scores(work_dir).is_file())

    def _record(self, path: Path, kinds: Sequence[str]) -> Optional[dict]:
        if not path.is_file():
            return None
        record = json.loads(path.read_text(encoding='utf-8'))
        stores = {store: data_fingerprints(meta) for store, meta in self._metas(kinds).items()}
        differ = [store for store, prints in stores.items() if record['stores'].get(store) not in prints]
        # Older records have no digests of files.
        files = record.get('files') or {}
        differ += [file for file, digest in self.files(*kinds).items() if files.get(file, digest) != digest]
        if differ:
            raise ConfigError(
                f'{path}: made with other data than is now in {", ".join(sorted(differ))}. Remove '
                f'{path.parent} (and what was trained from it) to do it again, or use another --work-dir'
            )
        return record

    def checkpoint(self, work_dir: Path) -> Optional[str]:
        """The last checkpoint; None if the training is not finished."""
        record = self.trained(work_dir)
        return None if record is None else str(self.folder(work_dir) / record['checkpoint'])

    def lineage(self) -> List['Run']:
        """The runs that this one starts from, earliest first, and itself."""
        return [*(self.parent.lineage() if self.parent else ()), self]
