"""Which frames of a clip a model sees."""

from typing import Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from ..frame_choice import centre, middles, neighbours, pad_short
from .base import BatchTransform


class TemporalSample(BatchTransform):
    """Picks ``clip_len`` frames of each clip, before any keypoint is read.

    Reads ``length`` (B,) int64, the frames of each clip, at least 1. Adds ``frames`` (B, clip_len) int64,
    positions in 0 .. length - 1, and 0 in the padding. Sets ``length`` to min(length, clip_len), the number
    of real frames. The frames behind them are padding.

    Args:
        clip_len (int): Frames of each clip; 32 downstream in SignBERT section 4.2.

    Raises:
        ValueError: ``clip_len`` is below 1, or no whole number.

    Attributes:
        steady (bool): It draws nothing: the same frames whatever the draws.
    """

    steady = False

    def __init__(self, clip_len: int = 32) -> None:
        if clip_len < 1 or clip_len % 1:
            raise UserValueError(
                f'{type(self).__name__}: clip_len must be at least 1, a whole number, got {clip_len}'
            )
        self.clip_len = clip_len

    def _positions(self, batch: dict) -> Tensor:
        return torch.arange(self.clip_len, device=batch['length'].device)


@TRANSFORMS.register_module()
class RandomTemporalSample(TemporalSample):
    """Takes ``clip_len`` neighbouring frames from a uniform random start.

    A shorter clip gives all its frames, then padding.
    """

    def __call__(self, batch: dict, draws: Draws) -> dict:
        num_starts = (batch['length'] - self.clip_len).clamp(min=0) + 1
        start = draws.integers('temporal/start', num_starts)
        return _chosen(batch, *neighbours(batch['length'], start, self._positions(batch)))


@TRANSFORMS.register_module()
class CenterTemporalSample(TemporalSample):
    """Takes the middle ``clip_len`` frames; a shorter clip gives all its frames, then padding."""

    steady = True

    def __call__(self, batch: dict, draws: Draws) -> dict:
        return _chosen(batch, *centre(batch['length'], self._positions(batch)))


@TRANSFORMS.register_module()
class UniformTemporalSample(TemporalSample):
    """Takes one frame from each of ``clip_len`` equal segments of the whole clip.

    Args:
        clip_len (int): Number of segments.
        test_mode (bool): Take the middle of each segment instead of a uniform draw from it.
        repeat (bool): A clip shorter than ``clip_len`` repeats frames and has no padding. With False it gives
            all its frames, then padding.
    """

    def __init__(self, clip_len: int = 32, test_mode: bool = False, repeat: bool = True) -> None:
        super().__init__(clip_len)
        self.test_mode, self.repeat = test_mode, repeat
        self.steady = test_mode

    def __call__(self, batch: dict, draws: Draws) -> dict:
        # (clip_len,) and (B, 1)
        segment, length = self._positions(batch), batch['length'][:, None]
        if self.test_mode:
            frames = middles(batch['length'], segment)
        else:
            start, end = segment * length // self.clip_len, (segment + 1) * length // self.clip_len
            # In a clip shorter than clip_len a segment may be empty; its start still is a frame.
            frames = start + draws.integers('temporal/segment', (end - start).clamp(min=1), self.clip_len)
        return _chosen(batch, *pad_short(batch['length'], segment, frames, self.repeat))


@TRANSFORMS.register_module()
class RandomWindowSample(TemporalSample):
    """Takes a random frame from each of ``clip_len`` equal parts of a random window. (Not in the papers.)

    The window is the clip without a part of its ends. Or it goes beyond the ends; the first and the last
    frame are then held there, as hands at rest are. A warp makes one end of the window faster than the other.

    Args:
        clip_len (int): Number of parts.
        crop (float): Largest share of the clip that is left out, of both ends together.
        rest (float): Largest share of the clip by which the window goes beyond either end.
        rest_prob (float): Probability that it goes beyond; otherwise it is cropped.
        warp (float): Largest difference of the speed at either end from the window's mean, as a share of it.

    Raises:
        ValueError: ``crop`` or ``warp`` is outside [0, 1), ``rest`` is negative, or ``rest_prob`` is no
            probability.
    """

    def __init__(
        self,
        clip_len: int = 32,
        crop: float = 0.2,
        rest: float = 0.0,
        rest_prob: float = 0.5,
        warp: float = 0.0,
    ) -> None:
        super().__init__(clip_len)
        if not (0 <= crop < 1 and 0 <= warp < 1 and rest >= 0 and 0 <= rest_prob <= 1):
            raise UserValueError(
                'RandomWindowSample: crop and warp lie in [0, 1), rest is not negative and rest_prob lies in '
                f'[0, 1], got {crop}, {warp}, {rest} and {rest_prob}'
            )
        self.crop, self.rest, self.rest_prob, self.warp = crop, rest, rest_prob, warp

    def __call__(self, batch: dict, draws: Draws) -> dict:
        length = batch['length'][:, None]
        # (B, 1) each, in clips
        cut = draws.uniform('temporal/cut', 1, high=self.crop)
        start = cut * draws.uniform('temporal/side', 1)
        beyond = draws.uniform('temporal/rest', 2, high=self.rest)
        rests = draws.bernoulli('temporal/rests', self.rest_prob if self.rest else 0.0, 1)
        start = torch.where(rests, -beyond[:, :1], start)
        span = torch.where(rests, 1 + beyond.sum(1, keepdim=True), 1 - cut)
        # (B, clip_len), in [0, 1)
        place = (self._positions(batch) + draws.uniform('temporal/part', self.clip_len)) / self.clip_len
        speed = draws.uniform('temporal/warp', 1, low=-self.warp, high=self.warp)
        place = place + speed * place * (1 - place)
        frames = ((start + span * place) * length).floor().to(torch.int64).clamp(min=0)
        real = torch.full_like(batch['length'], self.clip_len)
        return _chosen(batch, torch.minimum(frames, length - 1), real)


def _chosen(batch: dict, frames: Tensor, length: Tensor) -> dict:
    # Padding repeats frame 0. Its scores are zeroed later, by `length`.
    return {**batch, 'frames': frames, 'length': length}


def sample_time(temporal: Optional[TemporalSample], length: Tensor, draws: Draws) -> dict:
    """What is read of clips of ``length`` (B,) frames, at least 1.

    Returns:
        dict: ``frames`` (B, L) int64 and ``length`` (B,), see :class:`TemporalSample`. Without a transform
        all frames, padded to the longest clip.
    """
    if temporal is not None:
        return temporal(dict(length=length), draws)
    place = torch.arange(int(length.max()), device=length.device)
    return _chosen({}, *neighbours(length, torch.zeros_like(length), place))


def sample_clips(temporal: dict, length: np.ndarray, first: int = 0) -> Tuple[np.ndarray, np.ndarray]:
    """As :func:`sample_time` for arrays.

    Args:
        temporal (dict): Config of a temporal transform.
        length (ndarray): Shape (B,) int64.
        first (int): Index of the first clip, which seeds what is drawn.
    """
    index = torch.arange(first, first + len(length))
    sampled = sample_time(TRANSFORMS.build(temporal), torch.from_numpy(length), Draws(0, 0, index))
    return sampled['frames'].numpy(), sampled['length'].numpy()
