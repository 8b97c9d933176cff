"""The gesture state of one hand in one frame (SignBERT section 3.1)."""

from typing import Sequence, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...layouts import get_layout
from ...layouts.graph import ROLES, hand_part_graph, role_adjacency
from ...registry import MODELS


class RoleGraphConv(nn.Module):
    """One graph convolution with a weight for each role of a neighbour: x_i' = act(norm(b + sum over roles r, nodes j of A[r, i, j] W_r x_j)).

    Nodes come first, (V, N, C), so that gathering is one matrix product. Each role's matrix is split into its distinct rows (gathered before the
    weight) and their repetition (after it): a wrist that five fingers take from is multiplied by W once, and absent neighbours never.

    Args:
        in_channels (int): C.
        out_channels (int): C'.
        adjacency (Tensor): Shape (R, V, V), see :func:`signbert_mm.layouts.graph.role_adjacency`.
        norm (str): 'LN', layer norm over the channels, or 'BN', batch norm.
    """

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor, norm: str = 'LN') -> None:
        super().__init__()
        rows, repeats = zip(*[_distinct_rows(matrix) for matrix in adjacency])
        self.rows_of_role = [len(row) for row in rows]
        self.register_buffer('gather', torch.cat(rows), persistent=False)  # (U, V)
        self.register_buffer('repeat', torch.cat(repeats, dim=1), persistent=False)  # (V, U)
        bound = (len(adjacency) * in_channels) ** -0.5  # as nn.Linear over all roles side by side
        self.weight = nn.Parameter(torch.empty(len(adjacency), in_channels, out_channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound))
        self.norm = _make_norm(norm, out_channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(V, N, C) -> (V, N, C')."""
        nodes, count, _ = x.shape
        gathered = torch.matmul(self.gather.to(x.dtype), x.flatten(1)).view(-1, count, x.shape[-1])  # (U, N, C)
        parts = [torch.matmul(part.flatten(0, 1), weight) for part, weight in zip(gathered.split(self.rows_of_role), self.weight)]
        projected = torch.cat(parts).view(len(self.gather), -1)  # (U, N C')
        x = torch.matmul(self.repeat.to(projected.dtype), projected).view(nodes, count, -1)
        return self.act(self.norm(x + self.bias))


def _distinct_rows(matrix: Tensor) -> Tuple[Tensor, Tensor]:
    """``matrix`` (V, V) as repeat (V, U) @ rows (U, V): its distinct rows other than 0, and which row stands where."""
    rows, place = torch.unique(matrix, dim=0, return_inverse=True)
    repeat = nn.functional.one_hot(place, len(rows)).to(matrix.dtype)
    some = rows.any(1)
    return rows[some], repeat[:, some]


class _ChannelBatchNorm(nn.BatchNorm1d):
    """Batch norm over the last axis of (V, N, C)."""

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

    The graph has the physical and the symmetrical edges of the paper. Widths, the symmetrical edges chosen (same joint of neighbouring fingers),
    weights by role,
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
        x = hands.reshape(-1, *hands.shape[-2:]).transpose(0, 1).contiguous()  # (21, N, 2)
        x = self.joint_layers(x)  # (21, N, C)
        x = x.index_select(0, self.part_joints).unflatten(0, (self.num_parts, -1)).amax(1)  # (6, N, C)
        x = self.part_layers(x).amax(0)  # (N, C')
        return x.reshape(*hands.shape[:-2], self.out_channels)


__all__ = ['ROLES', 'GestureGCN', 'RoleGraphConv']
