"""Tokens of a hand or the trunk, with temporal convolutions over them (ST-Consistency)."""

from typing import Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import MODELS
from ..token_batch_norm import TokenBatchNorm
from .hand_token_embedder import build_gesture


def _products(x: Tensor, convolution: nn.Conv1d) -> Tensor:
    """A convolution in time of (N, T, C), padded with zeros, as one matrix product."""
    # (C', C, K)
    weight = convolution.weight
    taps, frames = weight.shape[-1], x.shape[1]
    padded = F.pad(x, (0, 0, taps // 2, taps // 2))
    return F.linear(
        torch.cat([padded[:, tap : tap + frames] for tap in range(taps)], dim=-1),
        weight.transpose(1, 2).flatten(1),
        convolution.bias,
    )


class TemporalBlock(nn.Module):
    """A convolution of kernel 5 beside two stacked ones of kernel 3, joined by a 1x1 convolution.

    A ReLU follows each of the three; batch norm and a ReLU follow the 1x1 convolution. Invalid tokens count
    as 0 at every step, like the padding before a clip's first frame. The 1x1 convolution has no bias, since
    batch norm removes it.

    Args:
        channels (int): C.
        linear (bool): The three convolutions have neither ReLU nor bias. The two stacked ones are then equal
            to one of kernel 5. For checkpoints of version 0.2 and before.
    """

    def __init__(self, channels: int, linear: bool = False) -> None:
        super().__init__()
        self.wide = nn.Conv1d(channels, channels, 5, padding=2, bias=not linear)
        self.narrow = nn.ModuleList(
            [nn.Conv1d(channels, channels, 3, padding=1, bias=not linear) for _ in range(2)]
        )
        self.join = nn.Conv1d(2 * channels, channels, 1, bias=False)
        self.norm = TokenBatchNorm(channels)
        self.act = nn.Identity() if linear else nn.ReLU(inplace=True)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """(N, T, C) -> (N, T, C), 0 where ``valid`` (N, T) is False; the input must be 0 there too."""
        if torch.compiler.is_dynamo_compiling():
            # torch.compile expects another memory layout of a convolution's gradient than it gets.
            between = self.act(_products(x, self.narrow[0])).masked_fill(~valid[..., None], 0.0)
            x = self.act(torch.cat([_products(x, self.wide), _products(between, self.narrow[1])], dim=-1))
            return F.relu(self.norm(F.linear(x, self.join.weight[:, :, 0]), valid), inplace=True)
        # (N, C, T)
        x = x.transpose(1, 2)
        between = self.act(self.narrow[0](x)).masked_fill(~valid[:, None], 0.0)
        x = self.join(self.act(torch.cat([self.wide(x), self.narrow[1](between)], dim=1)))
        return F.relu(self.norm(x.transpose(1, 2), valid), inplace=True)


@MODELS.register_module()
class TemporalGCNEmbedder(BaseModule):
    """Graph convolutions in each frame, then temporal blocks (ST-Consistency's authors' code).

    Between them is a 1x1 convolution with batch norm, ReLU and dropout.

    Args:
        gesture (dict): The gesture encoder, see :func:`build_gesture`; the authors' is
            :class:`ResidualGestureGCN`.
        channels (int): Token width.
        num_blocks (int): Temporal blocks.
        dropout (float): After the 1x1 convolution.
        linear (bool): See :class:`TemporalBlock`.
    """

    def __init__(
        self,
        gesture: dict,
        channels: int = 512,
        num_blocks: int = 2,
        dropout: float = 0.25,
        linear: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.gesture = build_gesture(gesture)
        # The 1x1 convolution.
        self.project = nn.Linear(self.gesture.out_channels, channels, bias=False)
        self.norm = TokenBatchNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([TemporalBlock(channels, linear) for _ in range(num_blocks)])
        self.out_channels = channels

    def forward(self, points: Tensor, valid: Tensor) -> Tensor:
        """Tokens.

        Args:
            points (Tensor): Shape (N, T, V, 2).
            valid (Tensor): Shape (N, T) bool; the others are left out of batch norm and are 0.

        Returns:
            Tensor: Shape (N, T, channels), at least 0; 0 where not valid.
        """
        x = self.project(self.gesture(points, valid))
        x = self.dropout(F.relu(self.norm(x, valid), inplace=True))
        for block in self.blocks:
            x = block(x, valid)
        return x
