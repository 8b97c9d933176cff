"""Reading of predictions that ``tools/test.py --dump`` writes, without executing anything."""

import io
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Set, Tuple, Union

import numpy as np
import torch

from ..errors import UserValueError
from ..files.stand_ins import PickleDamaged, PickleRefused, StandIn
from ..files.unpickle import load

# The first two numbers of torch's older file format.
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_STORAGES = dict(
    DoubleStorage=torch.float64,
    FloatStorage=torch.float32,
    HalfStorage=torch.float16,
    BFloat16Storage=torch.bfloat16,
    LongStorage=torch.int64,
    IntStorage=torch.int32,
    ShortStorage=torch.int16,
    CharStorage=torch.int8,
    ByteStorage=torch.uint8,
    BoolStorage=torch.bool,
)


class _StorageType(StandIn):
    """A class such as ``torch.FloatStorage``, which appears as an argument only."""

    __slots__ = ()


class _Storage(StandIn):
    """The numbers of a tensor's storage; ``flat`` is a tensor of one dimension."""

    __slots__ = ('flat',)

    def __init__(self, flat: torch.Tensor) -> None:
        self.flat = flat


_STORAGE_NAMES = {('torch', name): _StorageType for name in _STORAGES}


def _storage(data: Any = None) -> _Storage:
    """A safe version of ``torch.storage._load_from_bytes``.

    The bytes are five pickles (two numbers that mark the format, the machine's types, the storage, its key),
    the count of numbers and the numbers.
    """
    # torch's own function calls torch.load(weights_only=False), which can execute anything.
    if not isinstance(data, bytes):
        raise PickleRefused(f'the numbers of a tensor are {type(data).__name__}')
    file, persistent_ids = io.BytesIO(data), []

    def persistent(pid: Any) -> None:
        persistent_ids.append(pid)

    try:
        # Only the fourth pickle, the storage, may name a persistent object.
        heads = [
            load(file, _STORAGE_NAMES, persistent=persistent if part == 3 else None) for part in range(5)
        ]
    except PickleRefused as error:
        raise PickleDamaged(f'the numbers of a tensor are refused: {error}') from error
    valid_format = (
        heads[:2] == [_MAGIC, _PROTOCOL]
        and isinstance(heads[2], dict)
        and heads[2].get('little_endian') is True
    )
    if (
        not valid_format
        or len(persistent_ids) != 1
        or not isinstance(persistent_ids[0], tuple)
        or len(persistent_ids[0]) != 6
    ):
        raise PickleRefused('the numbers of a tensor are not in the format that tools/test.py --dump writes')
    kind, key, count = persistent_ids[0][1], persistent_ids[0][2], persistent_ids[0][4]
    dtype = _STORAGES.get(getattr(kind, 'text', '').rpartition('.')[2])
    if persistent_ids[0][0] != 'storage' or dtype is None or type(count) is not int or heads[4] != [key]:
        raise PickleRefused('the numbers of a tensor are of an unknown type')
    rest = data[file.tell() :]
    # The count stands twice, and the rest of the file must be exactly that many numbers.
    if int.from_bytes(rest[:8], 'little') != count or len(rest) - 8 != count * dtype.itemsize:
        raise PickleDamaged(f'a tensor of {count} numbers of {dtype} has {len(rest) - 8} bytes')
    if not count:
        return _Storage(torch.empty(0, dtype=dtype))
    # torch wants writable memory.
    numbers = bytearray(rest[8:])
    # A byte other than 0 and 1 in a bool tensor is undefined behaviour, so bytes are compared with 0.
    if dtype == torch.bool:
        return _Storage(torch.frombuffer(numbers, dtype=torch.uint8) != 0)
    return _Storage(torch.frombuffer(numbers, dtype=dtype))


def _tensor(storage: Any = None, offset: Any = 0, size: Any = (), stride: Any = (), *_: Any) -> torch.Tensor:
    """A checked version of ``torch._utils._rebuild_tensor_v2``, which would enlarge a small storage."""
    numbers = [offset, *size, *stride] if isinstance(size, tuple) and isinstance(stride, tuple) else [None]
    if (
        not isinstance(storage, _Storage)
        or not all(type(n) is int and n >= 0 for n in numbers)
        or len(size) != len(stride)
    ):
        raise PickleRefused('a tensor without a storage, or of a shape that is no tuple of whole numbers')
    empty = 0 in size
    # The largest index that this shape and these strides can reach.
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if len(size) > 64 or (not empty and last >= len(storage.flat)):
        raise PickleRefused(f'a tensor of shape {size} reaches beyond its {len(storage.flat)} numbers')
    if empty:
        return torch.empty(size, dtype=storage.flat.dtype)
    return torch.as_strided(storage.flat, size, stride, offset)


_NAMES: Dict[Tuple[str, str], Callable] = {
    ('torch._utils', '_rebuild_tensor_v2'): _tensor,
    ('torch.storage', '_load_from_bytes'): _storage,
}


def load_predictions(path: Union[str, Path]) -> List[Dict[str, Any]]:
    """Reads a file of predictions: one dict for each clip, in order of ``sample_idx``.

    Args:
        path (str | Path): A pickle of a list of dicts of tensors, numbers and strings.

    Returns:
        list[dict]: The fields of :class:`~signbert_mm.structures.SignDataSample`.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is truncated, is not such a list, has a clip without ``sample_idx``, or asks for
            a name that is not allowed (nothing is executed).
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'no predictions at {path}; make them with tools/test.py CONFIG CHECKPOINT --dump {path}'
        )
    try:
        with open(path, 'rb') as file:
            data = load(file, _NAMES)
    except PickleRefused as error:
        raise UserValueError(f'{path}: refused, nothing was run: {error}. Do not trust this file') from None
    except PickleDamaged as error:
        raise UserValueError(
            f'{path}: {path.stat().st_size} bytes that are not a whole file of predictions ({error}); make '
            'it again with tools/test.py --dump'
        ) from error
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise UserValueError(
            f'{path}: holds a {type(data).__name__}, expected a list of dicts as tools/test.py --dump writes'
        )
    without = [index for index, item in enumerate(data) if 'sample_idx' not in item]
    if without or not data:
        raise UserValueError(
            f'{path}: {f"item {without[0]} has no sample_idx" if without else "no predictions in it"}'
        )
    # Clips that a sampler repeated are kept once.
    clips = {int(item['sample_idx']): item for item in data}
    return [clips[index] for index in sorted(clips)]


class Answers(NamedTuple):
    """What a recogniser answers.

    Attributes:
        path (str): The file of its predictions.
        labels (ndarray): Shape (N,) int64.
        predicted (ndarray): Shape (N,) int64.
        num_classes (int): Of the scores.
        video_ids (list[str]): N names, '' where the file has none.
    """

    path: str
    labels: np.ndarray
    predicted: np.ndarray
    num_classes: int
    video_ids: List[str]


def read_labels(path: Union[str, Path]) -> Answers:
    """Reads labels and predicted labels of a file of predictions.

    Raises:
        ValueError: The file has no class scores or labels, scores that are not finite, or labels outside the
            classes.
    """
    clips = load_predictions(path)
    absent = [field for field in ('pred_scores', 'gt_label') if any(field not in clip for clip in clips)]
    if absent:
        raise UserValueError(f"{path}: predictions without {' and '.join(absent)}; a recogniser's are needed")
    labels = np.array([int(clip['gt_label']) for clip in clips])
    odd = [clip for clip in clips if not clip['pred_scores'].isfinite().all()]
    if odd:
        raise UserValueError(
            f'{path}: {len(odd)} of {len(clips)} clips have scores that are not finite, the first is '
            f'{odd[0].get("video_id") or odd[0]["sample_idx"]!r}; the model has diverged or its input was '
            'not finite'
        )
    predicted = np.array([int(np.argmax(clip['pred_scores'].float().numpy())) for clip in clips])
    number = {len(clip['pred_scores']) for clip in clips}
    if len(number) > 1 or labels.min() < 0 or labels.max() >= min(number):
        raise UserValueError(
            f'{path}: scores of {sorted(number)} classes and labels {labels.min()}..{labels.max()}; one '
            'class count and labels in it are needed'
        )
    return Answers(
        str(path), labels, predicted, number.pop(), [str(clip.get('video_id') or '') for clip in clips]
    )


def check_labelled(labels: np.ndarray, what: str) -> None:
    """Checks that clips have a label, since -1 would count as the last class.

    Raises:
        ValueError: A label is -1.
    """
    without = int((np.asarray(labels) < 0).sum())
    if without:
        raise UserValueError(
            f'{what}: {without} of {len(labels)} clips have no label (-1), so nobody knows which answers are '
            'right; choose labelled clips'
        )


def check_same_clips(first: Answers, *others: Answers) -> None:
    """Checks that files of predictions are of the same clips in the same order, over the same classes.

    Raises:
        ValueError: They are not.
    """
    for other in others:
        # A test without `test_mode` dumps no names.
        named = any(first.video_ids) and any(other.video_ids)
        if (
            first.num_classes != other.num_classes
            or not np.array_equal(first.labels, other.labels)
            or (named and first.video_ids != other.video_ids)
        ):
            raise UserValueError(
                f'{first.path} and {other.path} are not of the same test clips; test both models on the same '
                'data'
            )


def glosses_of(answers: Answers, dataset: Any, config: str) -> List[str]:
    """The glosses of the classes, by a data set with the label map that the predictions were made with.

    Args:
        answers (Answers): Of these or of other clips.
        dataset: A data set with ``metainfo``.
        config (str): Its config, for messages.

    Raises:
        ValueError: The data set has another number of glosses, or other labels for clips of the predictions.
    """
    glosses = list(dataset.metainfo['glosses'])
    if len(glosses) != answers.num_classes:
        raise UserValueError(
            f'{config}: its test data has {len(glosses)} glosses, the predictions are over '
            f'{answers.num_classes} classes'
        )
    # A concatenation has its clips in parts.
    parts = [part for part in getattr(dataset, 'parts', ()) or (dataset,) if hasattr(part, 'store')]
    names = [name for part in parts for name in part.store.video_ids(part.clips)]
    labels: Dict[str, Set[int]] = {}
    for name, label in zip(names, dataset.labels.tolist() if names else ()):
        labels.setdefault(name, set()).add(label)
    # The predictions may be of another split, whose clips say nothing about the labels.
    other = [
        name
        for name, label in zip(answers.video_ids, answers.labels.tolist())
        if label not in labels.get(name, {label})
    ]
    if other:
        raise UserValueError(
            f'{answers.path}: {len(other)} clips have other labels than in the test data of {config}, the '
            f'first is {other[0]!r}: the label maps differ; name the config that they were predicted with'
        )
    return glosses
