"""The format of a PoseStore's folder, shared by its reader and its writer."""

import hashlib
import os
import struct
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ..errors import UserValueError

FORMAT = 'signbert_mm.PoseStore'
FORMAT_VERSION = 1
KEYPOINTS, CLIPS, META = 'keypoints.npy', 'clips.npz', 'meta.json'
# Optional, and not covered by the checksum: clips that the converter could not find, one per line; those that
# it doubts; videos that the extractor could not read; the true joints of synthetic signs.
MISSING, DOUBTFUL, FAILED = 'missing.txt', 'doubtful.txt', 'failed.txt'
TRUE_2D, TRUE_3D, CAMERA = 'truth_2d.npy', 'truth_3d.npy', 'truth_camera.npy'
_FILES = (KEYPOINTS, CLIPS, META, MISSING, DOUBTFUL, FAILED, TRUE_2D, TRUE_3D, CAMERA)

# int16 stores: pixels in eighths (so +-4,095.875 px), scores as score * 32767.
PIXEL_STEPS = 8
SCORE_STEPS = 32767
DTYPES = ('float32', 'int16')

# Optional in clips.npz: the clips with an uneven frame rate, (K,) int32, and the times of all their frames in
# seconds since each clip's first frame, one clip after the other, float32.
TIMES = ('timed_clips', 'frame_times')

# Bits of `hands` in clips.npz: the hand is detected.
LEFT_FOUND, RIGHT_FOUND = 1, 2

_NPY_HEADER = 128


def foreign_to_store(folder: str) -> List[str]:
    """Names in a folder that are not of a store; all of them where it holds no store."""
    names = sorted(os.listdir(folder))
    return [name for name in names if name not in _FILES] if {META, KEYPOINTS} <= {*names} else names


def flags_found(flags: np.ndarray) -> np.ndarray:
    """Bits (T,) as bool (T, 2): left and right hand detected."""
    return (flags[:, None] & np.asarray([LEFT_FOUND, RIGHT_FOUND], dtype=np.uint8)) > 0


def common_rate(rates: Sequence[Optional[float]]) -> Optional[float]:
    """The median frame rate of clips that agree to 1 %.

    None where they differ or one is unknown (0 or None).
    """
    known = np.asarray([rate or 0 for rate in rates], dtype=np.float64)
    median = float(np.median(known)) if len(known) else 0.0
    return round(median, 3) if median > 0 and (np.abs(known - median) <= 0.01 * median).all() else None


def npy_header(dtype: str, shape: Tuple[int, ...]) -> bytes:
    """An npy 1.0 header of always 128 bytes."""
    # The constant size lets a writer fill in the number of rows after all rows are written.
    text = (
        f"{{'descr': {np.dtype(dtype).newbyteorder('<').str!r}, 'fortran_order': False, 'shape': "
        f'{tuple(shape)!r}, }}'
    )
    text_size = _NPY_HEADER - 10
    return (
        b'\x93NUMPY\x01\x00'
        + struct.pack('<H', text_size)
        + text.ljust(text_size - 1).encode('latin1')
        + b'\n'
    )


def file_digest(path: str) -> str:
    """blake2b of a file's content, hex."""
    digest = hashlib.blake2b(digest_size=32)
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 22), b''):
            digest.update(block)
    return digest.hexdigest()


def zeros_at_the_end(path: str) -> int:
    """Number of zero bytes at the end of a file; at most 64 KiB are read."""
    with open(path, 'rb') as file:
        # A crash of the machine can leave a file of the right size whose last blocks were never written.
        file.seek(-min(os.path.getsize(path), 1 << 16), os.SEEK_END)
        data = file.read()
    return len(data) - len(data.rstrip(b'\0'))


def _count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0


def check_coverage(coverage: Optional[Mapping[str, Any]], num_glosses: int, where: str) -> Dict[str, dict]:
    """Checks the record of how much of a published data set a store has, and returns it in one form.

    Args:
        coverage (Mapping, optional): Split -> the number of clips that the annotations list, or
            ``dict(expected=.., present=.., per_class=..)``. ``expected`` is that number, ``present`` the
            number of clips in the store, and ``per_class`` the listed clips of each gloss. ``expected`` may
            be left out if ``per_class`` is given.
        num_glosses (int): Length of the vocabulary.
        where (str): How messages name the store.

    Returns:
        dict: Split -> dict of plain numbers with ``expected`` and the other given keys.

    Raises:
        ValueError: A number is absent, negative or no whole number, more clips are present than expected, or
            ``per_class`` has another length or sum.
    """
    if coverage is not None and not isinstance(coverage, Mapping):
        raise UserValueError(
            f'{where}: coverage is {coverage!r}; give a dict: split -> dict(expected=.., present=..)'
        )
    checked = {}
    for split, given in (coverage or {}).items():
        row = dict(given) if isinstance(given, Mapping) else dict(expected=given)
        # A plain number is short for dict(expected=number).
        per_class = row.get('per_class')
        if per_class is not None:
            per_class = list(per_class)
            if len(per_class) != num_glosses or not all(_count(value) for value in per_class):
                raise UserValueError(
                    f'{where}: coverage of split {split!r}: per_class has {len(per_class)} entries; give a '
                    f'count for each of {num_glosses} glosses'
                )
            row['per_class'] = [int(value) for value in per_class]
            row.setdefault('expected', sum(row['per_class']))
        unknown = sorted(set(row) - {'expected', 'present', 'per_class'})
        if (
            not isinstance(split, str)
            or unknown
            or not all(_count(row[name]) for name in ('expected', 'present') if name in row)
            or 'expected' not in row
        ):
            raise UserValueError(
                f'{where}: coverage of split {split!r} is {given!r}; give dict(expected=clips in the '
                'annotations, present=clips in the store)'
            )
        if per_class is not None and sum(row['per_class']) != row['expected']:
            raise UserValueError(
                f'{where}: coverage of split {split!r}: per_class adds up to {sum(row["per_class"])}, '
                f'expected is {row["expected"]}'
            )
        if row.get('present', 0) > row['expected']:
            raise UserValueError(
                f'{where}: coverage of split {split!r}: {row["present"]} clips present, but only '
                f'{row["expected"]} expected'
            )
        checked[split] = {name: int(value) if _count(value) else value for name, value in row.items()}
    return checked


def check_official(official: Optional[Mapping[str, int]], where: str) -> Dict[str, int]:
    """Checks the clip counts that a data set's owners publish, split -> count.

    Raises:
        ValueError: A count is negative or no whole number.
    """
    if official is not None and not (
        isinstance(official, Mapping)
        and all(isinstance(split, str) and _count(n) for split, n in official.items())
    ):
        raise UserValueError(
            f'{where}: official is {official!r}; give a dict: split -> number of clips that the owners '
            'publish'
        )
    return {split: int(count) for split, count in (official or {}).items()}
