"""What the graph convolutional gesture encoders share."""

from typing import List, Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor

from ...errors import UserValueError
from ...layouts import Layout


def can_select_rows(x: Tensor) -> bool:
    """Whether rows may be picked by a mask.

    A GPU would wait for their number, and a compiled or traced graph needs fixed shapes.
    """
    return x.device.type == 'cpu' and not (torch.compiler.is_compiling() or torch.jit.is_tracing())


class BaseGestureGCN(BaseModule):
    """One vector for each hand or trunk; a subclass gives :meth:`states`, shapes (N, V, 2) -> (N, C').

    Attributes:
        zeros_invalid (bool): The vectors of invalid hands are 0, so they need not be computed.
    """

    zeros_invalid = True
    num_joints: int
    out_channels: int

    def set_graph(self, layout: Layout, parts: List[List[int]], order: List[int]) -> None:
        """Stores the order of joints and the sizes of parts; the root part is the last of ``parts``."""
        self.register_buffer('order', torch.as_tensor(order), persistent=False)
        self.num_limbs, self.root_size = len(parts) - 1, len(parts[-1])
        self.num_joints = layout.num_joints

    def forward(self, points: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """Vectors of hands or trunks.

        Args:
            points (Tensor): Shape (..., V, 2), crop coordinates in [0, 1]; (0, 0) = missing or masked.
            valid (Tensor, optional): Shape (...) bool. Batch norm leaves the others out, and makes their
                vectors 0. None = all.

        Returns:
            Tensor: Shape (..., out_channels).

        Raises:
            ValueError: The joint count is not the layout's.
        """
        if points.shape[-2] != self.num_joints:
            raise UserValueError(
                f'{type(self).__name__}: {points.shape[-2]} joints found, but the layout has '
                f'{self.num_joints}'
            )
        # (N, V, 2)
        x = points.reshape(-1, *points.shape[-2:])
        valid = None if valid is None else valid.reshape(-1)
        # Many hands of a clip are missing. On a CPU leaving them out saves their share of the time.
        if valid is not None and self.zeros_invalid and can_select_rows(x) and valid.any():
            rows = valid.nonzero().flatten()
            states = self.states(x[rows])
            x = states.new_zeros(len(x), self.out_channels).index_copy(0, rows, states)
        else:
            x = self.states(x, valid)
        return x.reshape(*points.shape[:-2], self.out_channels)

    def states(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """(N, V, 2), (N,) bool -> (N, C')."""
        raise NotImplementedError
