"""Checkpoints of a training: atomic writes, the search for the newest, and plain types."""

import contextlib
import logging
import os
import os.path as osp
from typing import Any, Dict, Optional

import numpy as np
import torch
from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import HistoryBuffer, print_log

from ..errors import UserTypeError
from ..files.atomic import PathLike, write_atomic
from ..files.checkpoints import CheckpointError, InertHistory, check_whole, load_checkpoint_file


def find_last_whole_checkpoint(work_dir: PathLike, out_dir: Optional[PathLike] = None) -> Optional[str]:
    """The newest undamaged checkpoint that training can resume from, or None without any checkpoint.

    First the one that ``last_checkpoint`` names. If that is damaged or gone, the others (``*.pth`` but
    ``best_*``) from the most iterations down, with a warning about those passed over.

    Args:
        work_dir (str | Path): The run's folder, where ``last_checkpoint`` lies.
        out_dir (str | Path, optional): Where its checkpoints lie, if elsewhere.

    Raises:
        CheckpointError: There are checkpoints, and all are damaged.
    """
    work_dir = os.fspath(work_dir)
    pointer, named = osp.join(work_dir, 'last_checkpoint'), None
    refused = []
    if osp.isfile(pointer):
        with open(pointer, encoding='utf-8', errors='replace') as file:
            text = file.read().strip()
        # The folder may have been moved or copied since: then the file lies beside its pointer.
        named = next(
            (path for path in (osp.join(work_dir, osp.basename(text)), text) if text and osp.isfile(path)),
            None,
        )
        if named is None:
            refused.append(f'{pointer} names {text!r}, which does not exist')
    if named is not None:
        try:
            check_whole(named)
            return named
        except CheckpointError as error:
            refused.append(str(error))
    folder = os.fspath(out_dir or work_dir)
    names = sorted(os.listdir(folder)) if osp.isdir(folder) else []
    candidates = []
    for path in (
        osp.join(folder, name) for name in names if name.endswith('.pth') and not name.startswith('best_')
    ):
        if path == named:
            continue
        try:
            # Mapped and unchecked: the iteration alone is needed to sort. The chosen file is checked below.
            content = load_checkpoint_file(path, mmap=True, check=False)
            if 'optimizer' in content:
                candidates.append((int(content['meta']['iter']), path))
        except (CheckpointError, KeyError, TypeError) as error:
            refused.append(f'{path}: {error}')
    for _, path in sorted(candidates, reverse=True):
        try:
            check_whole(path)
        except CheckpointError as error:
            refused.append(str(error))
            continue
        if refused:
            print_log(
                f'Resuming from {path}, the last whole checkpoint; passed over: ' + '; '.join(refused),
                logger='current',
                level=logging.WARNING,
            )
        return path
    if refused:
        raise CheckpointError(
            f'no whole checkpoint in {folder} to resume from: '
            + '; '.join(refused)
            + '. Name one with --resume PATH, or start afresh in a new --work-dir.'
        )
    return None


class AtomicLocalBackend(LocalBackend):
    """mmengine's local file backend with atomic writes; ``backend_args=dict(backend='signbert_mm.atomic')``.

    Inside ``with backend.removing_last():`` removals wait until the block has ended without an error, so that
    an old file goes only when the new one is safe.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: Optional[Dict[str, int]] = None

    def put(self, obj: bytes, filepath: PathLike) -> None:
        write_atomic(obj, filepath)

    def put_text(self, obj: str, filepath: PathLike, encoding: str = 'utf-8') -> None:
        write_atomic(obj.encode(encoding), filepath)

    def remove(self, filepath: PathLike) -> None:
        if self._waiting is None:
            super().remove(filepath)
        else:
            self._waiting[os.fspath(filepath)] = os.stat(filepath).st_ino

    @contextlib.contextmanager
    def removing_last(self):
        self._waiting = {}
        try:
            yield
            for path, inode in self._waiting.items():
                # Another inode means that the file was written again meanwhile.
                if osp.isfile(path) and os.stat(path).st_ino == inode:
                    os.unlink(path)
        finally:
            self._waiting = None


ATOMIC_BACKEND = 'signbert_mm.atomic'
register_backend(ATOMIC_BACKEND, AtomicLocalBackend, force=True)


def to_plain(value: Any, where: str = '') -> Any:
    """The same content in types that a weights-only load accepts.

    These are tensors, numbers, strings, bytes and containers of them. numpy arrays become tensors (arrays of
    strings become lists), numpy numbers become Python's, sets become sorted lists.

    Raises:
        TypeError: Something else; the message names its place.
    """
    # Before Python's types, since np.float64 and np.str_ are subclasses of them.
    if isinstance(value, np.generic):
        return value.item()
    plain_types = (bool, int, float, str, bytes, torch.Tensor, torch.dtype, torch.Size)
    if value is None or isinstance(value, plain_types):
        return value
    if isinstance(value, np.ndarray):
        return (
            torch.from_numpy(value.copy())
            if value.dtype.kind in 'biuf'
            else [to_plain(item, where) for item in value.tolist()]
        )
    if isinstance(value, dict):
        plain = {to_plain(key, where): to_plain(item, f'{where}.{key}') for key, item in value.items()}
        return type(value)(plain) if type(value).__name__ == 'OrderedDict' else plain
    if isinstance(value, (list, tuple)):
        items = [to_plain(item, f'{where}[{i}]') for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (set, frozenset)):
        return sorted(to_plain(item, where) for item in value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise UserTypeError(
        f'{where or "value"} is a {type(value).__module__}.{type(value).__qualname__}, which a checkpoint '
        'cannot hold'
    )


def pack_message_hub(state: dict) -> dict:
    """mmengine's ``MessageHub.state_dict()`` in plain types.

    Entries of ``runtime_info`` without a plain form are left out with a warning.
    """
    scalars = {}
    for key, buffer in state['log_scalars'].items():
        log, count = buffer.data
        scalars[key] = dict(
            log=torch.as_tensor(log), count=torch.as_tensor(count), max_length=buffer.max_length
        )
    info = {}
    for key, value in state['runtime_info'].items():
        try:
            info[key] = to_plain(value, key)
        except TypeError as error:
            print_log(
                f'Not saved in the checkpoint: message_hub {error}', logger='current', level=logging.WARNING
            )
    saved = set(scalars) | set(info)
    return dict(
        log_scalars=scalars,
        runtime_info=info,
        resumed_keys={key: flag for key, flag in state['resumed_keys'].items() if key in saved},
    )


def unpack_message_hub(state: dict) -> dict:
    """The inverse of :func:`pack_message_hub`; also takes the content of a stock mmengine checkpoint."""
    scalars = {}
    for key, value in state['log_scalars'].items():
        if isinstance(value, dict):
            log, count, length = value['log'].cpu().numpy(), value['count'].cpu().numpy(), value['max_length']
        elif isinstance(value, InertHistory):
            log, count, length = (
                value.state[name] for name in ('_log_history', '_count_history', 'max_length')
            )
        else:
            scalars[key] = value
            continue
        # Set past the constructor, which would cut and copy the arrays.
        scalars[key] = HistoryBuffer(max_length=length)
        scalars[key]._log_history, scalars[key]._count_history = log, count
    return dict(state, log_scalars=scalars)
