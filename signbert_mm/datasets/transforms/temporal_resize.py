"""Resampling of clips to one length (ST-Consistency)."""

from typing import Sequence, Tuple, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from .base import BatchTransform, check_whole


@TRANSFORMS.register_module()
class TemporalCropResize(BatchTransform):
    """Crops each clip in time and resamples it to ``clip_len`` frames by linear interpolation.

    The crop is a window of whole frames with a uniform start. Its size is a share of the clip, drawn
    uniformly from ``ratio`` and rounded. It is at least ``min_frames``, or the whole clip. The first and the
    last new frame are the window's first and last. A joint is interpolated where both neighbouring frames
    have it. Otherwise the nearer frame's joint is copied, present or missing (the later frame's at equal
    distance). The paper gives neither the treatment of missing joints nor the crop's range. The range is that
    of the authors' code.

    Call it before :class:`HandCrop`, on all frames of the clips or on many of them. With
    ``UniformTemporalSample(clip_len=150, test_mode=True, repeat=False)`` the data set reads whole clips, and
    150 frames of longer ones, as the authors do.

    Args:
        clip_len (int): Number of new frames, T'; 64 in the paper.
        ratio (tuple[float, float] | float): Range of the share of the clip that is kept; the authors' code:
            (0.1, 1) in pre-training, (0.5, 1) in fine-tuning, 0.95 in testing.
        min_frames (int): Smallest window.
        centre (bool): The window is the clip's middle (testing) instead of a draw.

    Reads ``keypoints`` (B, T, V, 2), ``scores`` (B, T, V), ``length`` (B,), ``frames`` (B, T) if present.
    Replaces them: T and ``length`` become ``clip_len``, as no frame is padding. ``frames`` is that of the
    nearer frame.

    Raises:
        ValueError: ``clip_len`` or ``min_frames`` is no whole number of at least 1, or ``ratio`` is not in
            (0, 1] or is upside down.
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
        check_whole('TemporalCropResize', clip_len=clip_len, min_frames=min_frames)
        if not 0 < low <= high <= 1:
            raise UserValueError(
                'TemporalCropResize: ratio must be (low, high) with 0 < low <= high <= 1, or '
                f'one number, got {ratio}'
            )
        self.clip_len, self.ratio, self.min_frames, self.centre = clip_len, (low, high), min_frames, centre

    def __call__(self, batch: dict, draws: Draws) -> dict:
        start, size = self._window(batch['length'], draws)
        if self.clip_len == 1:
            time = (start + size // 2).to(torch.float64)[:, None]
        else:
            # float64, and the product before the division: exact at both ends of the window.
            step = torch.arange(self.clip_len, device=start.device, dtype=torch.float64)
            # (B, T')
            time = start[:, None] + step * (size[:, None] - 1) / (self.clip_len - 1)
        keypoints, scores, nearest = at_times(batch['keypoints'], batch['scores'], time, start + size - 1)
        out = dict(batch, length=torch.full_like(batch['length'], self.clip_len))
        out.update(keypoints=keypoints, scores=scores)
        if 'frames' in batch:
            out['frames'] = batch['frames'].gather(1, nearest)
        return out

    def _window(self, length: Tensor, draws: Draws) -> Tuple[Tensor, Tensor]:
        """Returns the window's first frame and number of frames, each (B,)."""
        low, high = self.ratio
        share = (
            torch.full(length.shape, low, device=length.device)
            if low == high
            else draws.uniform('temporal/ratio', low=low, high=high)
        )
        size = torch.floor(share * length + 0.5).to(torch.int64)
        # min_frames first, the clip's length second: a short clip stays whole.
        size = torch.minimum(size.clamp(min=self.min_frames), length).clamp(min=1)
        last_start = length.clamp(min=1) - size
        return (last_start // 2 if self.centre else draws.integers('temporal/start', last_start + 1)), size


def at_times(keypoints: Tensor, scores: Tensor, time: Tensor, last: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Poses between frames, by linear interpolation.

    Where one of the two frames lacks a joint, the nearer frame counts alone. A mean would pull the joint
    towards the zeros of a missing one.

    Args:
        keypoints (Tensor): Shape (B, T, V, 2).
        scores (Tensor): Shape (B, T, V), 0 = missing.
        time (Tensor): Shape (B, T') float64, in frames.
        last (Tensor): Shape (B,) int64, the last frame that counts.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Keypoints (B, T', V, 2), scores (B, T', V), and the nearest frames
        (B, T') int64.
    """
    before = time.floor().to(torch.int64)
    # The last new frame may lie on the last frame, which has no next one.
    after = torch.minimum(before + 1, last[:, None])
    # (B, T', 1)
    weight = (time - before).to(keypoints.dtype)[..., None]
    # (B, T', V)
    found = [_take(scores, where) for where in (before, after)]
    points = [_take(keypoints, where) for where in (before, after)]
    both = (found[0] > 0) & (found[1] > 0)
    # (B, T', V)
    share = torch.where(both, weight, (weight >= 0.5).to(weight.dtype))
    nearest = torch.where(weight[..., 0] >= 0.5, after, before)
    return torch.lerp(*points, share[..., None]), torch.lerp(*found, share), nearest


def _take(values: Tensor, frames: Tensor) -> Tensor:
    """Takes ``frames`` (B, T') of ``values`` (B, T, ...)."""
    # `gather` needs an index of the result's full shape; `expand` makes it without a copy.
    index = frames.reshape(*frames.shape, *[1] * (values.ndim - 2)).expand(-1, -1, *values.shape[2:])
    return values.gather(1, index)
