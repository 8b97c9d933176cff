"""Which frames of a clip a model sees."""

from typing import Optional

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from .base import BatchTransform


class TemporalSample(BatchTransform):
    """Picks ``clip_len`` frames of each clip, before any keypoint is read.

    Reads ``length`` (B,) int64, frames a clip, at least 1. Adds ``frames`` (B, clip_len) int64, positions in
    0 .. length - 1 and 0 in the padding, and sets ``length`` to the number of real frames, min(length,
    clip_len); those from there on are padding.

    Args:
        clip_len (int): Frames a clip; 32 downstream in SignBERT section 4.1.

    Raises:
        ValueError: ``clip_len`` is below 1.

    Attributes:
        steady (bool): It draws nothing: the same frames whatever the draws.
    """

    steady = False

    def __init__(self, clip_len: int = 32) -> None:
        if clip_len < 1:
            raise UserValueError(f'{type(self).__name__}: clip_len must be at least 1, got {clip_len}')
        self.clip_len = clip_len

    def _window(self, batch: dict, start: Tensor) -> dict:
        """All clips from ``start`` (B,) on."""
        real = batch['length'].clamp(max=self.clip_len)  # (B,)
        place = torch.arange(self.clip_len, device=real.device)
        frames = (start[:, None] + place) * (place < real[:, None])
        return {**batch, 'frames': frames, 'length': real}


@TRANSFORMS.register_module()
class RandomTemporalSample(TemporalSample):
    """A window of ``clip_len`` neighbouring frames, its start uniform; all frames of a shorter clip, then
    padding.
    """

    def __call__(self, batch: dict, draws: Draws) -> dict:
        room = (batch['length'] - self.clip_len).clamp(min=0) + 1
        return self._window(batch, draws.integers('temporal/start', room))


@TRANSFORMS.register_module()
class CenterTemporalSample(TemporalSample):
    """The middle ``clip_len`` neighbouring frames; all frames of a shorter clip, then padding."""

    steady = True

    def __call__(self, batch: dict, draws: Draws) -> dict:
        return self._window(batch, (batch['length'] - self.clip_len).clamp(min=0) // 2)


@TRANSFORMS.register_module()
class UniformTemporalSample(TemporalSample):
    """One frame from each of ``clip_len`` equal segments, so the whole clip is seen at a coarser pace.

    Args:
        clip_len (int): Segments.
        test_mode (bool): The middle of each segment; else a uniform draw from it.
        repeat (bool): A clip shorter than ``clip_len`` gives frames more than once and has no padding; else
            it gives all its frames, then padding.
    """

    def __init__(self, clip_len: int = 32, test_mode: bool = False, repeat: bool = True) -> None:
        super().__init__(clip_len)
        self.test_mode, self.repeat = test_mode, repeat
        self.steady = test_mode

    def __call__(self, batch: dict, draws: Draws) -> dict:
        length = batch['length'][:, None]  # (B, 1)
        segment = torch.arange(self.clip_len, device=length.device)
        if self.test_mode:
            frames = (2 * segment + 1) * length // (2 * self.clip_len)
        else:
            start, end = segment * length // self.clip_len, (segment + 1) * length // self.clip_len
            frames = start + draws.integers('temporal/segment', (end - start).clamp(min=1), self.clip_len)
        sampled = torch.full_like(batch['length'], self.clip_len)
        if not self.repeat:
            short = self._window(batch, torch.zeros_like(batch['length']))
            is_short = length < self.clip_len
            frames, sampled = torch.where(is_short, short['frames'], frames), short['length']
        return {**batch, 'frames': frames, 'length': sampled}


def sample_time(temporal: Optional[TemporalSample], length: Tensor, draws: Draws) -> dict:
    """What is read of clips of ``length`` (B,) frames, at least 1.

    Returns:
        dict: ``frames`` (B, L) int64 and ``length`` (B,), see :class:`TemporalSample`. Without a transform
        all frames, padded to the longest clip.
    """
    if temporal is not None:
        return temporal(dict(length=length), draws)
    place = torch.arange(int(length.max()), device=length.device)
    return dict(frames=place * (place < length[:, None]), length=length)
