"""How a hand moves from frame to frame. (Not in the papers.)"""

from typing import Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ...datasets.transforms.views import frame_steps
from ...layouts.hand import NUM_HAND_JOINTS
from ...registry import MODELS

# Steps between sampled frames are small beside coordinates in [0, 1].
SCALE = 4.0
# A still frame before all others, or behind them; torch counts axes from the last.
_FIRST, _LAST = (0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1)


@MODELS.register_module()
class HandMotion(BaseModule):
    """A linear map of the steps of a hand from the frame before, and to the frame behind.

    A step is the difference of the joints in their crops and of the crop's place and size in the image. It is
    0 where a joint is missing or masked in either frame, and at the ends of a clip. (Not in the papers.)

    Args:
        out_channels (int): Width of the result.
    """

    def __init__(self, out_channels: int, init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        # Joints, and x, y and side of the crop, once before and once behind.
        self.project = nn.Linear(2 * (2 * NUM_HAND_JOINTS + 3), out_channels)

    def forward(self, hands: Tensor, location: Tensor, valid: Tensor) -> Tensor:
        """Maps the steps.

        Args:
            hands (Tensor): Shape (B, T, 2, 21, 2), a missing or masked joint is (0, 0).
            location (Tensor): Shape (B, T, 2, 3).
            valid (Tensor): Shape (B, T, 2) bool.

        Returns:
            Tensor: Shape (B, T, 2, C).
        """
        present = (hands != 0).any(-1, keepdim=True) & valid[..., None, None]
        joints = frame_steps(hands, present).flatten(-2)
        places = frame_steps(location, valid[..., None])
        # (B, T - 1, 2, 45)
        steps = SCALE * torch.cat([places, joints], dim=-1)
        return self.project(torch.cat([F.pad(steps, _FIRST), F.pad(steps, _LAST)], dim=-1))
