"""A tiny encoder of hands and trunk, and a transform that makes two views, so that the pre-trainer is tested
without the real ones.
"""

import torch
from torch import nn

from signbert_mm.datasets.transforms.base import BatchTransform
from signbert_mm.registry import MODELS, TRANSFORMS


@MODELS.register_module()
class ToyHandTrunkEncoder(nn.Module):
    """Mean over valid tokens of a layer over the joints; ``norm`` adds batch norm over the pooled vectors."""

    def __init__(self, channels: int = 12, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.out_channels = channels
        self.hand, self.trunk = nn.Linear(42, channels), nn.Linear(14, channels)
        self.norms = nn.ModuleDict(
            {part: nn.BatchNorm1d(channels) if norm else nn.Identity() for part in ('hand', 'trunk')}
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, hands, trunk, hand_valid, frame_valid, trunk_valid):
        pooled = dict(
            hand=self._mean(self.hand(hands.flatten(3)), hand_valid),
            trunk=self._mean(self.trunk(trunk.flatten(2)), trunk_valid),
        )
        return {part: self.dropout(self.norms[part](vectors)) for part, vectors in pooled.items()}

    @staticmethod
    def _mean(tokens, valid):
        axes = tuple(range(1, valid.ndim))
        return (torch.tanh(tokens) * valid[..., None]).sum(axes) / valid.sum(axes).clamp(min=1)[:, None]


@TRANSFORMS.register_module()
class ToyViews(BatchTransform):
    """``count`` views of sign_49 keypoints, each moved by a draw of its own."""

    def __init__(self, count: int = 2) -> None:
        self.count = count

    def __call__(self, batch, draws):
        points = batch['keypoints'] / batch['image_size'][:, None, None]
        there = batch['scores'] > 0
        views = []
        for view in range(self.count):
            moved = points + 0.05 * (draws.child(f'view{view}').uniform('shift', 2) - 0.5)[:, None, None]
            joint = moved * there[..., None]
            motion = torch.cat([torch.zeros_like(joint[:, :1]), joint[:, 1:] - joint[:, :-1]], dim=1)
            split = {
                name: dict(hands=value[:, :, :42].unflatten(2, (2, 21)), trunk=value[:, :, 42:])
                for name, value in (('joint', joint), ('motion', motion))
            }
            hand_valid = there[:, :, :42].unflatten(2, (2, 21)).any(-1)
            frame_valid = torch.arange(points.shape[1], device=points.device) < batch['length'][:, None]
            views.append(
                dict(
                    split,
                    hand_valid=hand_valid,
                    frame_valid=frame_valid,
                    trunk_valid=there[:, :, 42:].any(-1),
                )
            )
        return {**batch, 'views': views}
