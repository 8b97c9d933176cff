"""Projects an encoder's vector for the contrastive losses (ST-Consistency, encoder)."""

from typing import Optional

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS


@MODELS.register_module()
class ProjectionHead(BaseModule):
    """Linear, ReLU, linear, then scaled to length 1.

    Args:
        in_channels (int): Width of the encoder's vector.
        out_channels (int): Length of the projected vector; 128 in the paper.
        hidden_channels (int, optional): Hidden width; None = ``in_channels`` (not given in the paper).
    """

    def __init__(
        self,
        in_channels: int = 512,
        out_channels: int = 128,
        hidden_channels: Optional[int] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        hidden = in_channels if hidden_channels is None else hidden_channels
        self.in_channels, self.out_channels = in_channels, out_channels
        self.layers = nn.Sequential(
            nn.Linear(in_channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out_channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(..., in_channels) -> (..., out_channels) float32 of length 1."""
        # In float32, since half precision would not keep the length at 1.
        return F.normalize(self.layers(features).float(), dim=-1)
