"""Decoders without a hand model (SignBERT Table 5)."""

from typing import Dict, Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS


@MODELS.register_module()
class FCDecoder(BaseModule):
    """One or two fully connected layers straight to 21 x 2 coordinates (the first two rows of Table 5).

    Args:
        in_channels (int): Token width.
        num_layers (int): 1 or 2; between two stands a ReLU (not given in the paper).
        num_joints (int): Joints of a hand.
    """

    def __init__(
        self,
        in_channels: int = 512,
        num_layers: int = 1,
        num_joints: int = 21,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_layers not in (1, 2):
            raise UserValueError(f'FCDecoder: num_layers must be 1 or 2, got {num_layers}')
        hidden = [nn.Linear(in_channels, in_channels), nn.ReLU(inplace=True)] if num_layers == 2 else []
        last = nn.Linear(in_channels, num_joints * 2)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, 0.5)  # the middle of the crop
        self.layers = nn.Sequential(*hidden, last)
        self.in_channels, self.num_joints = in_channels, num_joints

    def forward(self, tokens: Tensor) -> Dict[str, Tensor]:
        """(..., C) -> ``joints2d`` (..., 21, 2), float32 fractions of the crop."""
        with torch.autocast(tokens.device.type, enabled=False):
            joints = self.layers(tokens.float())
        return dict(joints2d=joints.unflatten(-1, (self.num_joints, 2)))
