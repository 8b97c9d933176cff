"""The gesture state of one hand in one frame (SignBERT section 3.1)."""

import re
from typing import Dict, Mapping, Optional, Sequence

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


@MODELS.register_module()
class GestureGCN(BaseGestureGCN):
    """Graph convolutions over the joints of a hand or of the trunk (SignBERT section 3.1).

    Joints are pooled to parts, and parts to one vector. The graph has the physical and the symmetrical edges
    of the paper. The paper does not give the widths, which edges are symmetrical (here: the same joint of
    neighbouring fingers), weights by role, pooling to six parts, the norm and the activation. The trunk of
    ST-Consistency has three parts. Its symmetrical edges join left and right.

    Args:
        in_channels (int): 2 = x and y.
        joint_channels (Sequence[int]): Widths of the layers on joints.
        part_channels (Sequence[int]): Widths of the layers on parts; the last is the width of the result.
        layout (str): A layout with a hand's parts, or 'trunk_7'.
        norm (str): 'BN', batch norm over the valid hands, or 'LN', layer norm over the channels of one node.
            Layer norm cannot remove what all hands have in common. At the start 0.4 to 0.6 % of the energy of
            its result differs between hands; with batch norm it is 30 to 40 %. 'LN' is kept for old
            checkpoints.
        input_norm (bool): Batch norm of each coordinate of each joint before the first layer.
        output_norm (bool): Batch norm of the result. It removes what all hands have in common: 43 % of the
            energy of a clip's mean token then differs between clips at the start, without it 12 % (WLASL
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
        order = order_by_knuckle(parts, body)
        graph = joint_graph(body)[:, order][:, :, order]
        coarse = role_adjacency(len(parts), part_edges, part_symmetric)
        self.norm, self.bias = norm, norm == 'LN' if bias is None else bias
        self.zeros_invalid = norm == 'BN'
        self.input_norm = TokenBatchNorm(body.num_joints * in_channels) if input_norm else None
        self.joint_layers = self._layers([in_channels, *joint_channels], graph, norm, self.bias)
        self.part_layers = self._layers([joint_channels[-1], *part_channels], coarse, norm, self.bias)
        self.set_graph(body, parts, order)
        self.out_channels = part_channels[-1]
        self.output_norm = TokenBatchNorm(self.out_channels) if output_norm else None
        set_sync(self, sync_norm)

    @staticmethod
    def settings_in(weights: Mapping[str, Tensor], prefix: str) -> Optional[Dict[str, object]]:
        """The settings of a checkpoint's GestureGCN, read from the names of its weights.

        Args:
            weights (Mapping): A state dict.
            prefix (str): Where the GestureGCN is in it: 'embedder.gesture.'.

        Returns:
            dict, optional: ``norm``, ``input_norm``, ``output_norm`` and ``bias``; None where there is no
                GestureGCN.
        """
        names = [name[len(prefix) :] for name in weights if name.startswith(prefix)]
        if not any(name.startswith('joint_layers.0.norm.') for name in names):
            return None
        # One tensor is enough: a part whose other tensors were lost is then missing, not left out.
        return dict(
            norm='BN' if any('_layers.' in name and 'norm.running_' in name for name in names) else 'LN',
            input_norm=any(name.startswith('input_norm.') for name in names),
            output_norm=any(name.startswith('output_norm.') for name in names),
            bias=any(re.fullmatch(r'(joint|part)_layers\.\d+\.bias', name) for name in names),
        )

    @staticmethod
    def _layers(widths: Sequence[int], graph: Tensor, norm: str, bias: bool) -> nn.ModuleList:
        pairs = list(zip(widths[:-1], widths[1:]))
        # The last layer's ReLU comes after the pooling that follows: the same result on fewer nodes.
        return nn.ModuleList(
            [
                RoleGraphConv(a, b, graph, norm, act=i < len(pairs) - 1, bias=bias)
                for i, (a, b) in enumerate(pairs)
            ]
        )

    def states(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(N, V, 2), (N,) bool -> (N, C')."""
        if self.input_norm is not None:
            x = self.input_norm(x.flatten(1), valid).view_as(x)
        # (V, N, 2)
        x = x.transpose(0, 1).index_select(0, self.order)
        for layer in self.joint_layers:
            x = layer(x, valid)
        # In this order a limb's joints are every num_limbs-th one after the first: (joints, limbs, N, C).
        limbs = max_over_first(x[1:].unflatten(0, (-1, self.num_limbs)))
        # The root part comes first. A hand's palm has the fingers' first joints as well.
        root = max_over_first(x[: self.root_size])
        # (parts, N, C)
        x = F.relu(torch.cat([limbs, root[None]]), inplace=True)
        for layer in self.part_layers:
            x = layer(x, valid)
        # (N, C')
        x = F.relu(max_over_first(x), inplace=True)
        return x if self.output_norm is None else self.output_norm(x, valid)
