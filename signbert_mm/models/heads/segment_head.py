"""Says for each frame whether a sign begins, goes on, or is not there."""

from typing import Dict, Optional, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS

# Outside of a sign, at its beginning, inside.
NUM_LABELS = 3
IGNORED = -1


@MODELS.register_module()
class SegmentHead(BaseModule):
    """Convolutions over time on the tokens of both hands: one of three labels a frame. (Not in the papers.)

    The tokens of a frame are mapped, each hand by its own layer, and summed; a hand that is missing has a
    learned vector. Residual blocks of dilated convolutions follow.

    Args:
        in_channels (int): Token width.
        channels (int): Width of the convolutions.
        dilations (Sequence[int]): One block each; each adds two dilations of frames to what a frame sees.
        dropout (float): In the blocks.
        weights (Sequence[float]): Of outside, begin and inside in the loss.

    Raises:
        ValueError: There are not three weights, or one is negative.
    """

    def __init__(
        self,
        in_channels: int = 512,
        channels: int = 96,
        dilations: Sequence[int] = (1, 2, 4, 8),
        dropout: float = 0.2,
        weights: Sequence[float] = (1.0, 2.0, 1.0),
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(weights) != NUM_LABELS or min(weights) < 0:
            raise UserValueError(
                f'SegmentHead: weights are of outside, begin and inside, none negative, got {weights!r}'
            )
        self.in_channels = in_channels
        self.hands = nn.ModuleList(nn.Linear(in_channels, channels) for _ in range(2))
        self.absent = nn.Parameter(0.02 * torch.randn(2, channels))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in dilations)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation),
                nn.GELU(),
                nn.Dropout(dropout),
                nn.Conv1d(channels, channels, 1),
            )
            for dilation in dilations
        )
        self.classifier = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, NUM_LABELS))
        self.register_buffer('weights', torch.tensor(weights, dtype=torch.float32), persistent=False)

    def forward(self, tokens: Tensor, valid: Tensor, real: Tensor) -> Tensor:
        """Logits (B, T, 3) of outside, begin and inside.

        Args:
            tokens (Tensor): Shape (B, T, 2, C).
            valid (Tensor): Shape (B, T, 2) bool; values of other tokens are not read.
            real (Tensor): Shape (B, T) bool: not padding, which no frame sees.
        """
        hidden = sum(
            torch.where(valid[:, :, side, None], layer(tokens[:, :, side]), self.absent[side])
            for side, layer in enumerate(self.hands)
        )
        mask = real[..., None]
        for norm, block in zip(self.norms, self.blocks):
            hidden = hidden + block((norm(hidden) * mask).transpose(1, 2)).transpose(1, 2)
        return self.classifier(hidden)

    def loss(self, tokens: Tensor, valid: Tensor, real: Tensor, label: Tensor) -> Dict[str, Tensor]:
        """``loss_segment``: cross-entropy against ``label`` (B, T) int64, -1 = ignored."""
        logits = self(tokens, valid, real).float()
        return dict(
            loss_segment=nn.functional.cross_entropy(
                logits.flatten(0, 1), label.flatten(), self.weights, ignore_index=IGNORED
            )
        )
