"""A convolution over time, before attention. (Not in the papers.)"""

from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS


@MODELS.register_module()
class TemporalConv(BaseModule):
    """Mixes the tokens of neighbouring frames, each hand by itself, beside a shortcut.

    Layer norm, a depthwise convolution over time, and two linear layers. Attention compares all frames alike
    and learns from few clips slowly which are neighbours. (Not in the papers.)

    Args:
        channels (int): Token width.
        kernel_size (int): Frames that a token sees, odd.

    Raises:
        ValueError: ``kernel_size`` is even or below 1.
    """

    def __init__(self, channels: int, kernel_size: int = 5, init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise UserValueError(f'TemporalConv: kernel_size must be odd and at least 1, got {kernel_size}')
        self.norm = nn.LayerNorm(channels)
        self.mix = nn.Conv1d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels, bias=False
        )
        self.feedforward = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """Mixed tokens.

        Args:
            tokens (Tensor): Shape (B, T, H, C).
            valid (Tensor): Shape (B, T, H) bool; the others count as 0.

        Returns:
            Tensor: Shape (B, T, H, C).
        """
        seen = self.norm(tokens) * valid[..., None]
        # A convolution wants time last: (B H, C, T).
        mixed = self.mix(seen.permute(0, 2, 3, 1).flatten(0, 1))
        # (B, H, T, C), then (B, T, H, C)
        mixed = mixed.transpose(1, 2).reshape(-1, tokens.shape[2], *tokens.shape[1::2]).transpose(1, 2)
        return tokens + self.feedforward(mixed)
