"""Checks what a store holds of a clip beside its keypoints."""

from typing import Tuple

import numpy as np

from ..errors import UserValueError
from ..files.paths import check_name, check_text
from ..files.text import clean_text


def check_clip(
    where: str,
    label: int,
    split: str,
    video_id: str,
    signer: str,
    width: int,
    height: int,
    fps: float,
    num_glosses: int,
) -> Tuple[str, str]:
    """Refuses a clip's fields, see :meth:`PoseStoreWriter.add`, that no clip can have.

    Returns:
        tuple[str, str]: Split and signer as they are stored, see :func:`~signbert_mm.files.text.clean_text`.

    Raises:
        ValueError: A field is wrong; the message begins with ``where`` and names it.
    """
    check_name(video_id, f'{where}: video_id')
    split, signer = (clean_text(name) if isinstance(name, str) else name for name in (split, signer))
    check_text(split, f'{where}: split')
    check_text(signer, f'{where}: signer', empty=True)
    if not -1 <= label < num_glosses or int(label) != label:
        raise UserValueError(
            f'{where}: label {label} is outside 0 .. {num_glosses - 1} ({num_glosses} glosses; -1 = none); '
            'correct the label or the gloss list'
        )
    for name, size in (('width', width), ('height', height)):
        if not 0 < size < 1 << 31 or int(size) != size:
            raise UserValueError(f'{where}: {name} is {size}; give the image size in pixels')
    if not 0 <= fps < float('inf'):
        raise UserValueError(f'{where}: fps is {fps}; give frames a second, 0 where unknown')
    return split, signer


def check_times(where: str, times: np.ndarray, length: int) -> np.ndarray:
    """Times of a clip's frames, float64 seconds.

    Raises:
        ValueError: They are not ``length`` finite numbers that never decrease.
    """
    times = np.asarray(times, dtype=np.float64)
    if times.shape != (length,) or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise UserValueError(
            f'{where}: times are of shape {times.shape}; give seconds of the {length} frames that never '
            'decrease'
        )
    return times
