"""The gesture state of one hand in one frame (SignBERT section 3.1)."""

from typing import Dict, Mapping, Optional, Sequence, Union

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserValueError
from ...layouts import get_layout
from ...layouts.graph import ROLES, joint_graph, order_by_knuckle, part_graph, role_adjacency
from ...registry import MODELS
from ..ops import fast_role_graph_conv, max_over_first, split_into_blocks
from ..token_batch_norm import TokenBatchNorm


class RoleGraphConv(nn.Module):
    """One graph convolution with a weight for each role of a neighbour, then a norm and a ReLU.

    x_i' = act(norm(b + sum over roles r and nodes j of A[r, i, j] x_j W_r)); see
    :func:`~signbert_mm.models.ops.role_graph_conv`. Nodes come first, (V, N, C).

    Args:
        in_channels (int): C.
        out_channels (int): C'.
        adjacency (Tensor): Shape (R, V, V), see :func:`signbert_mm.layouts.graph.role_adjacency`.
        norm (str): 'BN', batch norm, or 'LN', layer norm over the channels.
        act (bool): End with a ReLU. A maximum over nodes may as well come before it.
        bias (bool | str, optional): Learn b. None: with layer norm only, since batch norm takes it out again.
            'role': one b a role, with the weight of a node's edges of that role; batch norm over all nodes
            leaves what differs between nodes.
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
        # as nn.Linear over all roles side by side
        bound = (len(adjacency) * in_channels) ** -0.5
        weight = torch.empty(len(adjacency), in_channels, out_channels)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        self.of_roles = bias == 'role'
        if norm == 'LN' if bias is None else bias:
            shape = (len(adjacency), out_channels) if self.of_roles else (out_channels,)
            self.bias = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        else:
            self.register_buffer('bias', torch.zeros(out_channels), persistent=False)
        self.norm = _make_norm(norm, out_channels)
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(V, N, C) -> (V, N, C'); batch norm leaves out the graphs that ``valid`` (N,) does not name."""
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        x, weight, bias, adjacency = (
            tensor.to(dtype) for tensor in (x, self.weight, self.bias, self.adjacency)
        )
        if self.of_roles:
            x = fast_role_graph_conv(x, weight, torch.zeros_like(bias[0]), adjacency, self.blocks)
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


def _can_select_rows(x: Tensor) -> bool:
    """A GPU would have to wait for the number of rows, and a compiled graph needs fixed shapes."""
    return x.device.type == 'cpu' and not torch.compiler.is_compiling()


@MODELS.register_module()
class GestureGCN(BaseModule):
    """Graph convolutions over the joints of a hand or of the trunk, pooled to its parts, then to one vector
    (SignBERT section 3.1).

    The graph has the physical and the symmetrical edges of the paper. Widths, the symmetrical edges chosen
    (same joint of neighbouring fingers), weights by role, pooling to six parts, the norm and the activation
    are not given in the paper. The trunk (ST-Consistency) has three parts, and left and right joints as
    symmetrical ones.

    Args:
        in_channels (int): 2 = x and y.
        joint_channels (Sequence[int]): Widths of the layers on joints.
        part_channels (Sequence[int]): Widths of the layers on parts; the last is the width of the result.
        layout (str): A layout with a hand's parts, or 'trunk_7'.
        norm (str): 'BN', batch norm over the hands that are valid, or 'LN', layer norm over the channels of
            one node. Layer norm cannot take out what all hands have in common: at the start 0.4 to 0.6 % of
            the energy of its result differs between hands, and with batch norm 30 to 40 %. It is here for
            checkpoints that have it.
        input_norm (bool): Batch norm of each coordinate of each joint before the first layer.
        output_norm (bool): Batch norm of the result, which takes out what all hands have in common: then 43 %
            of the energy of a clip's mean token differs between clips at the start, without it 12 % (WLASL
            hands, both widths).
        bias (bool, optional): Learn a bias in each layer; see :class:`RoleGraphConv`.
        sync_norm (bool): The statistics of batch norm are those of all processes.
    """

    def __init__(
        self,
        in_channels: int = 2,
        joint_channels: Sequence[int] = (128, 128, 256),
        part_channels: Sequence[int] = (512, 512),
        layout: str = 'hand_21',
        norm: str = 'BN',
        input_norm: bool = True,
        output_norm: bool = True,
        bias: Optional[bool] = None,
        sync_norm: bool = True,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        body = get_layout(layout)
        parts, part_edges, part_symmetric = part_graph(body)
        *limbs, root = parts
        order = order_by_knuckle(parts, body)
        graph = joint_graph(body)[:, order][:, :, order]
        coarse = role_adjacency(len(parts), part_edges, part_symmetric)
        self.norm, self.bias = norm, norm == 'LN' if bias is None else bias
        self.input_norm = TokenBatchNorm(body.num_joints * in_channels) if input_norm else None
        self.joint_layers = self._layers([in_channels, *joint_channels], graph, norm, self.bias)
        self.part_layers = self._layers([joint_channels[-1], *part_channels], coarse, norm, self.bias)
        self.register_buffer('order', torch.as_tensor(order), persistent=False)
        self.num_limbs, self.root_size = len(limbs), len(root)
        self.num_joints, self.out_channels = body.num_joints, part_channels[-1]
        self.output_norm = TokenBatchNorm(self.out_channels) if output_norm else None
        for module in self.modules():
            if isinstance(module, TokenBatchNorm):
                module.sync = sync_norm

    @staticmethod
    def settings_in(weights: Mapping[str, Tensor], prefix: str) -> Optional[Dict[str, object]]:
        """What a checkpoint's GestureGCN was built with, as far as the names of its weights tell.

        Args:
            weights (Mapping): A state dict.
            prefix (str): Where the GestureGCN is in it: 'embedder.gesture.'.

        Returns:
            dict, optional: ``norm``, ``input_norm`` and ``bias``; None where the weights hold none there.
        """
        layer = f'{prefix}joint_layers.0.'
        if f'{layer}norm.weight' not in weights:
            return None
        return dict(
            norm='BN' if f'{layer}norm.running_mean' in weights else 'LN',
            input_norm=f'{prefix}input_norm.weight' in weights,
            output_norm=f'{prefix}output_norm.weight' in weights,
            bias=f'{layer}bias' in weights,
        )

    @staticmethod
    def _layers(widths: Sequence[int], graph: Tensor, norm: str, bias: bool) -> nn.ModuleList:
        """Layers of these widths; the last one's ReLU comes after the pooling that follows, on fewer nodes
        and with the same result.
        """
        pairs = list(zip(widths[:-1], widths[1:]))
        return nn.ModuleList(
            [
                RoleGraphConv(a, b, graph, norm, act=i < len(pairs) - 1, bias=bias)
                for i, (a, b) in enumerate(pairs)
            ]
        )

    def forward(self, hands: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """One vector a hand, or a trunk.

        Args:
            hands (Tensor): Shape (..., V, 2), crop coordinates in [0, 1]; (0, 0) = missing or masked.
            valid (Tensor, optional): Shape (...) bool: the others are left out of batch norm, and their
                vectors are 0 where the norm is batch norm. None = all.

        Returns:
            Tensor: Shape (..., part_channels[-1]).

        Raises:
            ValueError: The joint count is not the layout's.
        """
        if hands.shape[-2] != self.num_joints:
            raise UserValueError(
                f'GestureGCN: {hands.shape[-2]} joints found, but the layout has {self.num_joints}'
            )
        x = hands.reshape(-1, *hands.shape[-2:])  # (N, V, 2)
        valid = None if valid is None else valid.reshape(-1)
        # batch norm makes the others 0, so they need not be computed
        if valid is not None and self.norm == 'BN' and _can_select_rows(x) and valid.any():
            rows = valid.nonzero().flatten()
            states = self._states(x[rows])
            x = states.new_zeros(len(x), self.out_channels).index_copy(0, rows, states)
        else:
            x = self._states(x, valid)
        return x.reshape(*hands.shape[:-2], self.out_channels)

    def _states(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(N, V, 2), (N,) bool -> (N, C')."""
        if self.input_norm is not None:
            x = self.input_norm(x.flatten(1), valid).view_as(x)
        x = x.transpose(0, 1).index_select(0, self.order)  # (V, N, 2)
        for layer in self.joint_layers:
            x = layer(x, valid)  # (V, N, C)
        limbs = max_over_first(x[1:].unflatten(0, (-1, self.num_limbs)))  # (5, N, C)
        root = max_over_first(x[: self.root_size])  # (N, C)
        x = F.relu(torch.cat([limbs, root[None]]), inplace=True)  # (6, N, C)
        for layer in self.part_layers:
            x = layer(x, valid)
        x = F.relu(max_over_first(x), inplace=True)  # (N, C')
        return x if self.output_norm is None else self.output_norm(x, valid)


__all__ = ['ROLES', 'GestureGCN', 'RoleGraphConv']
