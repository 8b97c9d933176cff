"""The graph convolutions of a hand or of the trunk in one frame (ST-Consistency)."""

from typing import Optional, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...layouts import get_layout
from ...layouts.graph import joint_graph, order_by_knuckle, part_graph, role_adjacency
from ...registry import MODELS
from ..ops import max_over_first
from ..token_batch_norm import TokenBatchNorm, set_sync
from .base_gesture_gcn import BaseGestureGCN
from .role_graph_conv import RoleGraphConv


class ResidualGraphBlock(nn.Module):
    """A graph convolution and a 1x1 convolution, to which the block's input is added.

    In full: graph convolution, batch norm, ReLU, dropout, 1x1 convolution, batch norm, dropout, plus the
    input, ReLU. Nodes are the first axis: (V, N, C). The 1x1 convolutions have no bias, since batch norm
    removes it.

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
        """(V, N, C) -> (V, N, C'). Batch norm leaves out graphs that are not ``valid`` (N,), and gives 0."""
        out = self.project(self.dropout(self.conv(x, valid)))
        out = self.dropout(self.norm(out, valid))
        if self.shortcut is not None:
            x = self.shortcut_norm(self.shortcut(x), valid)
        return F.relu(out + x if self.residual else out, inplace=True)


@MODELS.register_module()
class ResidualGestureGCN(BaseGestureGCN):
    """Residual graph blocks over the joints of a hand or of the trunk (ST-Consistency's authors' code).

    Joints are pooled to parts, and parts to one vector. The paper says no more than GCN.

    A hand has six parts: the three outer joints of each finger, and the palm (wrist and finger roots). The
    trunk has three: left arm, right arm, nose. Each of a node's n neighbours has the weight 1 / n, and each
    role a matrix; see :func:`~signbert_mm.layouts.graph.role_adjacency`.

    As in the authors' code, the nose gets nothing from the other parts of the trunk. Its edge to the left arm
    counts in the number of neighbours but has no role. It has no edge to the right arm.

    Args:
        in_channels (int): 2 = x and y.
        joint_channels (Sequence[int]): Widths of the blocks on joints; the first has no residual.
        part_channels (Sequence[int]): Widths of the blocks on parts; the last is the width of the result.
        layout (str): A layout with a hand's parts, or 'trunk_7'.
        dropout (float): In each block, twice.
        input_eps (float): Added to the variance in the batch norm of the input, which is by coordinate and
            joint. The authors' 0.1 is as large as a coordinate's variance and far above that of its motion.
            Joints that move more therefore stay larger.
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
            # Only the roles 'self' and 'symmetric'.
            coarse = coarse[[0, 3]]
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
        self.set_graph(body, parts, order)
        self.out_channels = part_channels[-1]
        set_sync(self, sync_norm)

    def states(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(N, V, 2), (N,) bool -> (N, C'), at least 0."""
        x = self.input_norm(x.flatten(1), valid).view_as(x)
        # (V, N, 2)
        x = x.transpose(0, 1).index_select(0, self.order)
        for block in self.joint_blocks:
            x = block(x, valid)
        # Unlike in GestureGCN, no joint is in two parts.
        limbs = max_over_first(x[self.root_size :].unflatten(0, (-1, self.num_limbs)))
        root = max_over_first(x[: self.root_size])
        # (parts, N, C)
        x = torch.cat([limbs, root[None]])
        for block in self.part_blocks:
            x = block(x, valid)
        return max_over_first(x)
