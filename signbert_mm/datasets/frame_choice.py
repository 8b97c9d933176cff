"""The rules by which frames are chosen without draws: one text for numpy and torch.

The temporal transforms apply them to tensors, an exported model's input to arrays. Arguments and results are
of one kind, int64: ``length`` (B,), the frames of each clip, and ``position`` 0 .. clip_len - 1.
"""

from typing import Any, Dict, Optional, Tuple

import numpy as np

Array = Any  # ndarray or Tensor


def neighbours(length: Array, start: Array, position: Array) -> Tuple[Array, Array]:
    """Takes ``clip_len`` neighbouring frames of each clip, from ``start`` (B,) on.

    Returns:
        tuple: Frames (B, clip_len), 0 in the padding, and the number of real ones (B,).
    """
    real = length.clip(max=len(position))
    return (start[:, None] + position) * (position < real[:, None]), real


def centre(length: Array, position: Array) -> Tuple[Array, Array]:
    """As :func:`neighbours`, the middle of each clip."""
    return neighbours(length, (length - len(position)).clip(min=0) // 2, position)


def middles(length: Array, position: Array) -> Array:
    """The middle frame of each of ``clip_len`` equal segments: (B, clip_len)."""
    # (segment + 1/2) * length / clip_len, rounded down in integers: the same on any machine.
    return (2 * position + 1) * length[:, None] // (2 * len(position))


def pad_short(length: Array, position: Array, frames: Array, repeat: bool) -> Tuple[Array, Array]:
    """``frames`` (B, clip_len) of each clip, and how many of them are real (B,).

    Without ``repeat`` a clip shorter than ``clip_len`` gives all its frames instead, then padding.
    """
    clip_len = len(position)
    if repeat:
        return frames, 0 * length + clip_len
    short, real = neighbours(length, 0 * length, position)
    is_short = (length < clip_len)[:, None]
    return is_short * short + ~is_short * frames, real


def is_steady(temporal: Optional[Dict[str, Any]]) -> bool:
    """Whether :func:`choose_frames` knows this temporal transform, and it draws nothing."""
    kind = _plain_type(temporal)
    return kind in (None, 'CenterTemporalSample') or (
        kind == 'UniformTemporalSample' and bool(temporal.get('test_mode'))
    )


def _plain_type(temporal: Optional[Dict[str, Any]]) -> Optional[str]:
    if temporal is None:
        return None
    kind = temporal.get('type')
    return kind[len('signbert_mm.') :] if str(kind).startswith('signbert_mm.') else kind


def choose_frames(temporal: Optional[Dict[str, Any]], length: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """What a model reads of clips, in numpy.

    Args:
        temporal (dict, optional): A config for which :func:`is_steady` holds; None = all frames.
        length (ndarray): Shape (B,) int64, at least 1.

    Returns:
        tuple[ndarray, ndarray]: Frames (B, L) int64, 0 in the padding, and the number of real ones (B,).
    """
    kind = _plain_type(temporal)
    if kind is None:
        return neighbours(length, np.zeros_like(length), np.arange(length.max()))
    position = np.arange(temporal.get('clip_len', 32))
    if kind == 'CenterTemporalSample':
        return centre(length, position)
    return pad_short(length, position, middles(length, position), temporal.get('repeat', True))
