"""The gesture state of one hand in one frame (SignBERT section 3.1)."""

from typing import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...layouts import get_layout
from ...layouts.graph import ROLES, hand_part_graph, role_adjacency
from ...registry import MODELS


class RoleGraphConv(nn.Module):
    """One graph convolution with a weight for each role of a neighbour: x_i' = act(norm(sum over roles r, nodes j of A[r, i, j] W_r x_j)).

    Args:
        in_channels (int): C.
        out_channels (int): C'.
        adjacency (Tensor): Shape (R, V, V), see :func:`signbert_mm.layouts.graph.role_adjacency`.
        norm (str): 'LN', layer norm over the channels, or 'BN', batch norm.
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor, norm: str = 'LN') -> None:
        super().__init__()
        roles, nodes, _ = adjacency.shape
        # row (i, r) of the gather matrix: what node i takes in role r, so that one matrix product gathers all roles
        self.register_buffer('gather', adjacency.transpose(0, 1).reshape(nodes * roles, nodes).contiguous(), persistent=False)
        self.linear = nn.Linear(roles * in_channels, out_channels)
        self.norm = _make_norm(norm, out_channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, V, C) -> (N, V, C')."""
        count, nodes, channels = x.shape
        gathered = torch.matmul(self.gather.to(x.dtype), x)  # (N, V R, C)
        return self.act(self.norm(self.linear(gathered.reshape(count, nodes, -1))))


class _ChannelBatchNorm(nn.BatchNorm1d):
    """Batch norm over the last axis of (N, V, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).reshape(x.shape)


def _make_norm(norm: str, channels: int) -> nn.Module:
    if norm == 'LN':
        return nn.LayerNorm(channels)
    if norm == 'BN':
        return _ChannelBatchNorm(channels)
    raise ValueError(f"norm must be 'LN' or 'BN', got {norm!r}")


@MODELS.register_module()
class GestureGCN(BaseModule):
    """Graph convolutions over the 21 joints of a hand, pooled to its parts, then to one vector (SignBERT section 3.1).

    The graph has the physical and the symmetrical edges of the paper. Widths, the symmetrical edges chosen (same joint of neighbouring fingers), weights by role,
    pooling to six parts, the norm and the activation are not given in the paper.

    Args:
        in_channels (int): 2 = x and y.
        joint_channels (Sequence[int]): Widths of the layers on joints.
        part_channels (Sequence[int]): Widths of the layers on parts; the last is the width of the result.
        layout (str): A layout with a hand's parts.
        norm (str): 'LN' or 'BN'.
    """

    def __init__(
        self,
        in_channels: int = 2,
        joint_channels: Sequence[int] = (128, 128, 256),
        part_channels: Sequence[int] = (512, 512),
        layout: str = 'hand_21',
        norm: str = 'LN',
        init_cfg: dict = None,
    ) -> None:
        super().__init__(init_cfg)
        hand = get_layout(layout)
        parts, part_edges, part_symmetric = hand_part_graph(hand)
        joint_graph = role_adjacency(hand.num_joints, hand.edges, hand.symmetric_edges)
        part_graph = role_adjacency(len(parts), part_edges, part_symmetric)
        widths = [in_channels, *joint_channels]
        self.joint_layers = nn.Sequential(*[RoleGraphConv(a, b, joint_graph, norm) for a, b in zip(widths[:-1], widths[1:])])
        widths = [joint_channels[-1], *part_channels]
        self.part_layers = nn.Sequential(*[RoleGraphConv(a, b, part_graph, norm) for a, b in zip(widths[:-1], widths[1:])])
        longest = max(map(len, parts))
        # shorter parts repeat their first joint, which a maximum does not see
        padded = [part + [part[0]] * (longest - len(part)) for part in parts]
        self.register_buffer('part_joints', torch.as_tensor(padded).flatten(), persistent=False)
        self.num_parts = len(parts)
        self.num_joints, self.out_channels = hand.num_joints, widths[-1]

    def forward(self, hands: Tensor) -> Tensor:
        """One vector a hand.

        Args:
            hands (Tensor): Shape (..., 21, 2), crop coordinates in [0, 1]; (0, 0) = missing or masked.

        Returns:
            Tensor: Shape (..., part_channels[-1]).

        Raises:
            ValueError: The joint count is not the layout's.
        """
        if hands.shape[-2] != self.num_joints:
            raise ValueError(f'GestureGCN: {hands.shape[-2]} joints found, but the layout has {self.num_joints}')
        x = self.joint_layers(hands.reshape(-1, *hands.shape[-2:]))  # (N, 21, C)
        x = x.index_select(1, self.part_joints).unflatten(1, (self.num_parts, -1)).amax(2)  # (N, 6, C)
        x = self.part_layers(x).amax(1)  # (N, C')
        return x.reshape(*hands.shape[:-2], self.out_channels)


__all__ = ['ROLES', 'GestureGCN', 'RoleGraphConv']
