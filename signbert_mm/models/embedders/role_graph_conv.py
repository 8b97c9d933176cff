"""A graph convolution layer with a weight for each role of a neighbour."""

from typing import Optional, Union

import torch
from torch import Tensor, nn

from ...errors import UserValueError
from ..ops import fast_role_graph_conv, split_into_blocks
from ..token_batch_norm import TokenBatchNorm


class RoleGraphConv(nn.Module):
    """x_i' = act(norm(b + sum over roles r and nodes j of A[r, i, j] x_j W_r)).

    See :func:`~signbert_mm.models.ops.role_graph_conv`. Nodes are the first axis: (V, N, C).

    Args:
        in_channels (int): C.
        out_channels (int): C'.
        adjacency (Tensor): Shape (R, V, V), see :func:`signbert_mm.layouts.graph.role_adjacency`.
        norm (str): 'BN', batch norm, or 'LN', layer norm over the channels.
        act (bool): End with a ReLU. Leave it out where a maximum over nodes and then a ReLU follow.
        bias (bool | str, optional): Learn b. None: only with layer norm, since batch norm removes a bias.
            'role': one b for each role, times the sum of a node's edges of that role. Nodes then differ, so
            batch norm over all nodes does not remove it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Tensor,
        norm: str = 'BN',
        act: bool = True,
        bias: Union[bool, str, None] = None,
    ) -> None:
        super().__init__()
        self.register_buffer('adjacency', adjacency, persistent=False)
        self.blocks = split_into_blocks(adjacency)
        # The initial range of an nn.Linear whose input is the neighbours of all roles side by side.
        bound = (len(adjacency) * in_channels) ** -0.5
        weight = torch.empty(len(adjacency), in_channels, out_channels)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        self.bias_by_role = bias == 'role'
        if norm == 'LN' if bias is None else bias:
            shape = (len(adjacency), out_channels) if self.bias_by_role else (out_channels,)
            self.bias = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        else:
            # The convolution takes a bias in any case. Checkpoints do not hold this one.
            self.register_buffer('bias', torch.zeros(out_channels), persistent=False)
        self.norm = _make_norm(norm, out_channels)
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(V, N, C) -> (V, N, C'). Batch norm counts only the graphs that are ``valid`` (N,); None = all."""
        # The convolution is a custom function, which autocast does not cast.
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        x, weight, bias, adjacency = (
            tensor.to(dtype) for tensor in (x, self.weight, self.bias, self.adjacency)
        )
        if self.bias_by_role:
            x = fast_role_graph_conv(x, weight, torch.zeros_like(bias[0]), adjacency, self.blocks)
            # Sum of each node's edges (V, R) times a bias for each role (R, C').
            x = x + (adjacency.sum(-1).t() @ bias)[:, None]
        else:
            x = fast_role_graph_conv(x, weight, bias, adjacency, self.blocks)
        x = self.norm(x, valid) if isinstance(self.norm, TokenBatchNorm) else self.norm(x)
        return self.act(x)


def _make_norm(norm: str, channels: int) -> nn.Module:
    if norm == 'LN':
        return nn.LayerNorm(channels)
    if norm == 'BN':
        return TokenBatchNorm(channels)
    raise UserValueError(f"norm must be 'LN' or 'BN', got {norm!r}")
