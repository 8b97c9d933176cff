"""Reads checkpoint files without executing anything, and refuses damaged ones."""

import os
import os.path as osp
import pickle
import re
import zipfile
from typing import Any, List, Optional, Tuple

import torch
from mmengine.logging import print_log

from ..errors import UserRuntimeError
from .atomic import PathLike
from .shipped import resolve_shipped
from .stand_ins import NUMPY_NAMES, NumpyArray, without_stand_ins


class CheckpointError(UserRuntimeError):
    """A checkpoint that cannot be used; the message names the file and the remedy."""


class InertHistory:
    """Replaces mmengine's ``HistoryBuffer`` in a stock mmengine checkpoint: it only stores its state."""

    def __setstate__(self, state: dict) -> None:
        state = without_stand_ins({key: value for key, value in state.items() if key != 'statistics_methods'})
        self.state = state


def _inert_getattr(owner: Any, name: str) -> None:
    """Replaces ``getattr``, by which ``HistoryBuffer`` pickles its methods; looks nothing up."""
    return None


def _numpy_names() -> List[Tuple[Any, str]]:
    """Stand-ins for the names in a pickled numpy array or number, of numpy 1 and 2."""
    # numpy's own classes trust the buffer flags in the file, so a crafted file could write to any address.
    names: List[Tuple[Any, str]] = [
        (call, f'{module}.{name}') for (module, name), call in NUMPY_NAMES.items()
    ]
    # torch sets the state of listed classes only.
    return [*names, (NumpyArray, f'{NumpyArray.__module__}.NumpyArray')]


def safe_names() -> List[Tuple[Any, str]]:
    """Names that a checkpoint may hold beside torch's: numpy arrays, and mmengine's log history, inert."""
    history = [
        (InertHistory, 'mmengine.logging.history_buffer.HistoryBuffer'),
        (_inert_getattr, 'builtins.getattr'),
    ]
    return _numpy_names() + history + [(_inert_getattr, '__builtin__.getattr')]


def load_checkpoint_file(
    filename: PathLike, map_location: Any = 'cpu', mmap: Optional[bool] = None, check: bool = True
) -> dict:
    """``torch.load`` that executes nothing (``weights_only=True``) and whose errors name the file.

    It reads the checkpoints of this project and of stock mmengine. The log history of the latter is inert.

    Args:
        filename (str | Path): A local file, or ``zoo://NAME`` for weights that come with the package.
        map_location: As in ``torch.load``.
        mmap (bool, optional): Map the file instead of reading it.
        check (bool): First read the file once to compare every record with its checksum, and refuse weights
            that are not finite. Files of torch before 1.6 have no checksums.

    Raises:
        FileNotFoundError: No such file.
        ConfigError: No such weights come with the package.
        CheckpointError: It is cut short, damaged or not a checkpoint, or it holds anything but tensors and
            plain values, or weights that are not finite.
    """
    filename = osp.expanduser(resolve_shipped(filename))
    if not osp.isfile(filename):
        raise FileNotFoundError(
            f'checkpoint {filename} does not exist; check the path (a run keeps its checkpoints in its '
            '--work-dir)'
        )
    if not _is_old_format(filename):
        if check:
            check_whole(filename)
        elif not _is_zip(filename):
            raise CheckpointError(_no_checkpoint(filename))
    try:
        with torch.serialization.safe_globals(safe_names()):
            content = without_stand_ins(
                torch.load(filename, map_location=map_location, weights_only=True, mmap=mmap)
            )
    except pickle.UnpicklingError as error:
        raise CheckpointError(_refused(filename, str(error))) from error
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # A damaged or crafted pickle can raise anything.
        raise CheckpointError(_unreadable(filename, str(error) or type(error).__name__)) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f'checkpoint {filename} holds a {type(content).__name__}; give a file with a state_dict, as '
            'tools/train.py writes it'
        )
    if check:
        refuse_non_finite(content, f'checkpoint {filename}')
    return content


def drop_config_text(content: Any) -> Any:
    """Removes ``meta['config']`` and returns ``content``.

    mmengine's runners would execute it as Python when they resume. mmengine itself writes its config as
    ``meta['cfg']`` now, which nothing executes.
    """
    meta = content.get('meta') if isinstance(content, dict) else None
    if isinstance(meta, dict) and 'config' in meta:
        print_log("The checkpoint's meta['config'] is left out: mmengine would execute it.", logger='current')
        del meta['config']
    return content


def _refused(filename: str, text: str) -> str:
    """The message for a pickle that needs more than tensors and plain values."""
    # torch's own message advises to let the pickle run, so it is not shown.
    found = re.search(r'GLOBAL ([\w.]+)|(?:class|function) ([\w.]+)|Can only [^.\n]*', text)
    if found is None:
        return _unreadable(filename, text)
    what = next((part for part in found.groups() if part), found.group(0))
    return (
        f'checkpoint {filename} is refused: its pickle asks for {what!r}, which a file of weights has no '
        'need of and which could execute code. Nothing was executed. Take the checkpoint from a source you '
        'trust, saved as a state_dict of tensors and plain values.'
    )


def _unreadable(filename: str, text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ''
    if re.search(r'weights.only', first, re.IGNORECASE):
        # torch advises to switch the protection off.
        first = 'its content is not a state_dict of tensors and plain values'
    return (
        f'checkpoint {filename} ({osp.getsize(filename)} bytes) cannot be read: {first[:300]}. It is cut '
        'short or not a PyTorch checkpoint; copy it again, or resume from an earlier one (--resume finds '
        'the last whole one by itself).'
    )


# torch's magic number 0x1950a86a20f9469cfc6c, as in a pickle.
_OLD_MAGIC = b'l\xfc\x9cF\xf9 j\xa8P\x19'
# First bytes of files that people give by mistake, and what to say about them.
_KINDS = (
    (
        rb'version https://git-lfs',
        'a Git LFS pointer, not the file it stands for: run `git lfs pull` where it came from',
    ),
    (
        rb'\s*<(!doctype|html|head|\?xml)',
        'a web page, not a checkpoint: the download was redirected; download it again',
    ),
    (rb'\s*[{\[]', 'text in JSON, not a checkpoint'),
    (rb'\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|\x28\xb5\x2f\xfd', 'a compressed file: unpack it first'),
    (
        rb'.{8}\{"',
        'a safetensors file: read it with the safetensors package and save its tensors with torch.save',
    ),
    (rb'\x89HDF', 'an HDF5 file, not a PyTorch checkpoint'),
    (rb'\x93NUMPY', 'a numpy array, not a checkpoint'),
    (rb'\x80[\x02-\x05]', 'a plain pickle that torch.save did not write, so it is not opened'),
)


def _head(filename: str) -> bytes:
    with open(filename, 'rb') as file:
        return file.read(256)


def _is_zip(filename: str) -> bool:
    return _head(filename)[:4] == b'PK\x03\x04'


def _is_old_format(filename: str) -> bool:
    """Whether the file is in torch's format from before 1.6, which has no checksums."""
    head = _head(filename)
    return head[:1] == b'\x80' and _OLD_MAGIC in head[:32]


def _no_checkpoint(filename: str) -> str:
    """The message for a file that torch did not write; it says what the file is, if its first bytes show."""
    head, size = _head(filename), osp.getsize(filename)
    kind = next((text for pattern, text in _KINDS if re.match(pattern, head, re.IGNORECASE | re.DOTALL)), '')
    if not head:
        kind = 'an empty file'
    elif not head.strip(b'\0'):
        kind = 'a file of zeros, as a full disk or a broken copy leaves it; copy it again'
    return f'checkpoint {filename} ({size} bytes) is ' + (
        kind or 'not a PyTorch checkpoint, or damaged; copy it again'
    )


def check_whole(filename: PathLike) -> None:
    """Compares every record of a checkpoint with its checksum; reads the file once and unpickles nothing.

    Raises:
        CheckpointError: A record is absent or damaged, or it is no checkpoint that torch 1.6 or newer wrote.
    """
    filename = os.fspath(filename)
    if not osp.isfile(filename):
        raise CheckpointError(f'checkpoint {filename} does not exist')
    if not _is_zip(filename):
        raise CheckpointError(_no_checkpoint(filename))
    size = osp.getsize(filename)
    try:
        with zipfile.ZipFile(filename) as archive:
            records = archive.infolist()
            total = sum(record.file_size for record in records)
            # torch stores without compression, so such a file is made to fill the memory.
            if total > 100 * size + (1 << 20):
                raise CheckpointError(
                    f'checkpoint {filename} ({size} bytes) says that it holds {total} bytes: it is not opened'
                )
            bad = archive.testzip()
    except CheckpointError:
        raise
    except Exception as error:
        # zipfile raises many kinds: BadZipFile, struct.error, zlib.error, RuntimeError and others.
        raise CheckpointError(
            f'checkpoint {filename} ({size} bytes) is cut short, damaged or not a checkpoint: {error}; copy '
            'it again'
        ) from error
    if bad is not None or not any(record.filename.endswith('data.pkl') for record in records):
        what = f'record {bad} does not match its checksum' if bad is not None else 'it has no record data.pkl'
        raise CheckpointError(f'checkpoint {filename} is damaged: {what}; copy it again')


def is_finite(value: torch.Tensor) -> bool:
    """Whether every number of a tensor is finite; integers are."""
    if not (value.is_floating_point() or value.is_complex()) or value.is_meta:
        return True
    if value.layout is not torch.strided:
        value = value.coalesce().values() if value.layout is torch.sparse_coo else value.values()
    if value.element_size() == 1:
        # isfinite is not implemented for 8-bit floats.
        value = value.float()
    return bool(torch.isfinite(value).all())


def _is_mask(value: torch.Tensor) -> bool:
    """Whether a tensor is an additive attention mask: 0 or minus infinity everywhere."""
    value = value.float() if value.is_floating_point() and value.layout is torch.strided else torch.ones(1)
    return bool((value == 0).any() and ((value == 0) | (value == -torch.inf)).all())


def refuse_non_finite(content: dict, name: str) -> None:
    """Refuses weights with NaN or infinity, from which every result is NaN.

    Args:
        content (dict): A checkpoint, or a bare state dict.
        name (str): How the message names it.

    Raises:
        CheckpointError: Names the first such tensor and how many there are.
    """
    parts = [
        content[key] for key in ('state_dict', 'ema_state_dict') if isinstance(content.get(key), dict)
    ] or [content]
    tensors = [
        (key, value) for part in parts for key, value in part.items() if isinstance(value, torch.Tensor)
    ]
    bad = [key for key, value in tensors if not is_finite(value) and not _is_mask(value)]
    if bad:
        raise CheckpointError(
            f'{name}: {bad[0]}{f" and {len(bad) - 1} more tensors hold" if len(bad) > 1 else " holds"} '
            'numbers that are not finite: that training has diverged. Take an earlier checkpoint, and lower '
            'the learning rate or clip gradients.'
        )
