"""The graph convolutions of a hand or of the trunk in one frame (ST-Consistency)."""

from typing import Optional, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserValueError
from ...layouts import get_layout
from ...layouts.graph import joint_graph, order_by_knuckle, part_graph, role_adjacency
from ...registry import MODELS
from ..ops import max_over_first
from ..token_batch_norm import TokenBatchNorm
from .gesture_gcn import RoleGraphConv, _can_select_rows


class ResidualGraphBlock(nn.Module):
    """Graph convolution, batch norm, ReLU, dropout, 1x1 convolution, batch norm, dropout; the block's input
    is added; ReLU. Nodes come first, (V, N, C).

    The 1x1 convolutions have no bias: batch norm would take it out.

    Args:
        in_channels (int): C.
        out_channels (int): C'.
        adjacency (Tensor): Shape (R, V, V), see :func:`signbert_mm.layouts.graph.role_adjacency`.
        dropout (float): Of both dropouts.
        residual (bool): Add the input, through a 1x1 convolution and batch norm where the width changes.
    """

    def __init__(
        self, in_channels: int, out_channels: int, adjacency: Tensor, dropout: float, residual: bool = True
    ) -> None:
        super().__init__()
        self.conv = RoleGraphConv(in_channels, out_channels, adjacency, bias='role')
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(out_channels, out_channels, bias=False)
        self.norm = TokenBatchNorm(out_channels)
        self.residual = residual
        if residual and in_channels != out_channels:
            self.shortcut = nn.Linear(in_channels, out_channels, bias=False)
            self.shortcut_norm = TokenBatchNorm(out_channels)
        else:
            self.shortcut = None

    def forward(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(V, N, C) -> (V, N, C'); graphs that ``valid`` (N,) does not name are left out of batch norm, and
        are 0 if they come in as 0.
        """
        out = self.project(self.dropout(self.conv(x, valid)))
        out = self.dropout(self.norm(out, valid))
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(x), valid)
        return F.relu(out + x if self.residual else out, inplace=True)


@MODELS.register_module()
class ResidualGestureGCN(BaseModule):
    """Residual graph blocks over the joints of a hand or of the trunk, pooled to its parts, then to one
    vector (ST-Consistency's authors' code; their paper says no more than GCN).

    A hand has six parts: the three outer joints of each finger, and the palm of wrist and finger roots. The
    trunk has three: left arm, right arm, nose. A node's neighbours have the weight 1 / their number, and a
    matrix for each role; see :func:`~signbert_mm.layouts.graph.role_adjacency`.

    As in the authors' code, the nose takes from no other part of the trunk: of its two edges to the arms the
    left one counts among the neighbours and has no role, and the right one is not there.

    Args:
        in_channels (int): 2 = x and y.
        joint_channels (Sequence[int]): Widths of the blocks on joints; the first has no residual.
        part_channels (Sequence[int]): Widths of the blocks on parts; the last is the width of the result.
        layout (str): A layout with a hand's parts, or 'trunk_7'.
        dropout (float): In each block, twice.
        input_eps (float): Added to the variance in the batch norm of each coordinate of each joint that comes
            in. The authors' 0.1 is as large as a coordinate's variance and far above that of its motion, so
            joints that move more stay larger.
        sync_norm (bool): The statistics of batch norm are those of all processes.

    Raises:
        ValueError: The layout is neither a hand nor a trunk.
    """

    def __init__(
        self,
        in_channels: int = 2,
        joint_channels: Sequence[int] = (128, 128, 256),
        part_channels: Sequence[int] = (512, 512),
        layout: str = 'hand_21',
        dropout: float = 0.05,
        input_eps: float = 0.1,
        sync_norm: bool = True,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        body = get_layout(layout)
        parts, edges, symmetric_edges = part_graph(body)
        order = order_by_knuckle(parts, body)
        graph = joint_graph(body, by_role=False)[:, order][:, :, order]
        if 'nose' in body.parts:
            coarse = role_adjacency(len(parts), edges[:1], symmetric_edges, by_role=False)
            coarse = coarse[[0, 3]]  # itself and symmetric ones
        else:
            coarse = role_adjacency(len(parts), edges, symmetric_edges, by_role=False)
        self.input_norm = TokenBatchNorm(body.num_joints * in_channels, eps=input_eps)
        widths = [in_channels, *joint_channels]
        self.joint_blocks = nn.ModuleList(
            [
                ResidualGraphBlock(a, b, graph, dropout, residual=place > 0)
                for place, (a, b) in enumerate(zip(widths[:-1], widths[1:]))
            ]
        )
        widths = [joint_channels[-1], *part_channels]
        self.part_blocks = nn.ModuleList(
            [ResidualGraphBlock(a, b, coarse, dropout) for a, b in zip(widths[:-1], widths[1:])]
        )
        self.register_buffer('order', torch.as_tensor(order), persistent=False)
        self.num_limbs, self.root_size = len(parts) - 1, len(parts[-1])
        self.num_joints, self.out_channels = body.num_joints, part_channels[-1]
        for module in self.modules():
            if isinstance(module, TokenBatchNorm):
                module.sync = sync_norm

    def forward(self, points: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """One vector a hand, or a trunk.

        Args:
            points (Tensor): Shape (..., V, 2); (0, 0) = missing or masked.
            valid (Tensor, optional): Shape (...) bool: the others are left out of batch norm, and their
                vectors are 0. None = all.

        Returns:
            Tensor: Shape (..., part_channels[-1]), at least 0.

        Raises:
            ValueError: The joint count is not the layout's.
        """
        if points.shape[-2] != self.num_joints:
            raise UserValueError(
                f'ResidualGestureGCN: {points.shape[-2]} joints found, but the layout has {self.num_joints}'
            )
        x = points.reshape(-1, *points.shape[-2:])  # (N, V, 2)
        valid = None if valid is None else valid.reshape(-1)
        # the others are 0, so they need not be computed
        if valid is not None and _can_select_rows(x) and valid.any():
            rows = valid.nonzero().flatten()
            states = self._states(x[rows])
            x = states.new_zeros(len(x), self.out_channels).index_copy(0, rows, states)
        else:
            x = self._states(x, valid)
        return x.reshape(*points.shape[:-2], self.out_channels)

    def _states(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(N, V, 2), (N,) bool -> (N, C')."""
        x = self.input_norm(x.flatten(1), valid).view_as(x)
        x = x.transpose(0, 1).index_select(0, self.order)  # (V, N, 2)
        for block in self.joint_blocks:
            x = block(x, valid)  # (V, N, C)
        limbs = max_over_first(x[self.root_size :].unflatten(0, (-1, self.num_limbs)))
        root = max_over_first(x[: self.root_size])  # (N, C)
        x = torch.cat([limbs, root[None]])  # (parts, N, C)
        for block in self.part_blocks:
            x = block(x, valid)
        return max_over_first(x)
