"""Decoded frames as the input of RGB networks."""

from typing import Sequence

import torch

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from .base import BatchTransform


@TRANSFORMS.register_module()
class NormalizeImages(BatchTransform):
    """Normalises ``imgs``, uint8 RGB, to float32: (value - mean) / std for each channel.

    Args:
        mean, std (Sequence[float]): Of R, G, B; by default ImageNet's, as in mmaction2.
        channel_axis (int): Axis of the channels, counted from the end: -4 in (B, views, C, T, H, W), -3 in
            (B, frames, C, H, W).

    Raises:
        ValueError: ``channel_axis`` of ``imgs`` does not have size 3.
    """

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        channel_axis: int = -4,
    ) -> None:
        self.mean, self.std, self.channel_axis = tuple(mean), tuple(std), channel_axis

    def __call__(self, batch: dict, draws: Draws) -> dict:
        imgs = batch['imgs']
        if imgs.shape[self.channel_axis] != 3:
            raise UserValueError(
                f'NormalizeImages: axis {self.channel_axis} of imgs {tuple(imgs.shape)} is not '
                '3 channels; see channel_axis'
            )
        # A shape that broadcasts along the channel axis alone.
        shape = [1] * imgs.ndim
        shape[self.channel_axis] = 3
        mean, std = (
            torch.tensor(values).view(shape).to(imgs.device, non_blocking=True)
            for values in (self.mean, self.std)
        )
        return {**batch, 'imgs': (imgs.float() - mean) / std}
