"""Clips of any length become clips of one length (ST-Consistency)."""

from typing import Sequence, Tuple, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from .base import BatchTransform


@TRANSFORMS.register_module()
class TemporalCropResize(BatchTransform):
    """Crops each clip in time and resamples it to ``clip_len`` frames, linearly between the two frames around
    each point in time.

    The crop is a window of whole frames: a share of the clip, drawn uniformly from ``ratio``, rounded, at
    least ``min_frames`` (or the whole clip); its start is uniform. The first and the last new frame are the
    window's own first and last. A joint is interpolated where both frames have it; else it is taken as it is,
    seen or missing, from the nearer frame (the later one at equal distance). So no joint is drawn towards the
    zeros of a missing one. How to treat missing joints and the crop's range are not given in the paper; the
    range is that of the authors' code.

    Call it before :class:`HandCrop`, on all frames of the clips or on many of them: with
    ``UniformTemporalSample(clip_len=150, test_mode=True, repeat=False)`` the data set reads whole clips and
    strides those over 150 frames, as the authors do.

    Args:
        clip_len (int): Frames that come out, T'; 64 in the paper.
        ratio (tuple[float, float] | float): Range of the share of the clip that is kept; the authors' code:
            (0.1, 1) in pre-training, (0.5, 1) in fine-tuning, 0.95 in testing.
        min_frames (int): Smallest window.
        centre (bool): The window is the clip's middle (testing) instead of a draw.

    Reads ``keypoints`` (B, T, V, 2), ``scores`` (B, T, V), ``length`` (B,), ``frames`` (B, T) if there.
    Replaces them: T becomes ``clip_len``, ``length`` too, as no frame is padding; ``frames`` is that of the
    nearer frame.

    Raises:
        ValueError: ``clip_len`` or ``min_frames`` is below 1, or ``ratio`` is not in (0, 1] or is upside
            down.
    """

    resamples = True

    def __init__(
        self,
        clip_len: int = 64,
        ratio: Union[float, Tuple[float, float]] = (0.1, 1.0),
        min_frames: int = 32,
        centre: bool = False,
    ) -> None:
        low, high = ratio if isinstance(ratio, Sequence) else (ratio, ratio)
        if clip_len < 1 or min_frames < 1:
            raise UserValueError(
                'TemporalCropResize: clip_len and min_frames must be at least 1, got '
                f'{clip_len} and {min_frames}'
            )
        if not 0 < low <= high <= 1:
            raise UserValueError(
                'TemporalCropResize: ratio must be (low, high) with 0 < low <= high <= 1, or '
                f'one number, got {ratio}'
            )
        self.clip_len, self.ratio, self.min_frames, self.centre = clip_len, (low, high), min_frames, centre

    def __call__(self, batch: dict, draws: Draws) -> dict:
        start, size = self._window(batch['length'], draws)
        if self.clip_len == 1:
            place = (start + size // 2).to(torch.float64)[:, None]
        else:
            # step times size - 1 over clip_len - 1: exact at both ends
            step = torch.arange(self.clip_len, device=start.device, dtype=torch.float64)
            place = start[:, None] + step * (size[:, None] - 1) / (self.clip_len - 1)  # (B, T')
        before = place.floor().to(torch.int64)
        after = torch.minimum(before + 1, (start + size - 1)[:, None])
        weight = (place - before).to(batch['keypoints'].dtype)[..., None]  # (B, T', 1)

        scores = [_take(batch['scores'], where) for where in (before, after)]  # (B, T', V)
        keypoints = [_take(batch['keypoints'], where) for where in (before, after)]
        both = (scores[0] > 0) & (scores[1] > 0)
        # a joint that one of the two lacks: all of the nearer frame and nothing of the other
        share = torch.where(both, weight, (weight >= 0.5).to(weight.dtype))  # (B, T', V)
        out = dict(batch, length=torch.full_like(batch['length'], self.clip_len))
        out['scores'] = torch.lerp(*scores, share)
        out['keypoints'] = torch.lerp(*keypoints, share[..., None])
        if 'frames' in batch:
            out['frames'] = batch['frames'].gather(1, torch.where(weight[..., 0] >= 0.5, after, before))
        return out

    def _window(self, length: Tensor, draws: Draws) -> Tuple[Tensor, Tensor]:
        """First frame and number of frames (B,)."""
        low, high = self.ratio
        share = (
            torch.full(length.shape, low, device=length.device)
            if low == high
            else draws.uniform('temporal/ratio', low=low, high=high)
        )
        size = torch.floor(share * length + 0.5).to(torch.int64)
        size = torch.minimum(size.clamp(min=self.min_frames), length).clamp(min=1)
        room = length.clamp(min=1) - size
        return (room // 2 if self.centre else draws.integers('temporal/start', room + 1)), size


def _take(values: Tensor, frames: Tensor) -> Tensor:
    """Frames (B, T') of values (B, T, ...)."""
    index = frames.reshape(*frames.shape, *[1] * (values.ndim - 2)).expand(-1, -1, *values.shape[2:])
    return values.gather(1, index)
