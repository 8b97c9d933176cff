"""A maximum over the nodes of a graph."""

import torch
from torch import Tensor
from torch.nn import functional as F


def max_over_first(x: Tensor) -> Tensor:
    """``x.amax(0)``: (K, ..., C) -> (..., C). Of equal values one gets the gradient.

    It is torch's pooling over images of height K, which writes the gradient once.
    """
    if torch.compiler.is_exporting():
        # Pooling compares strides, which are unknown while exporting.
        return x.amax(0)
    # Every step, and its gradient, is a view in torch's channels-last format. Other orders would copy.
    # (1, C, K, ...)
    image = x.flatten(1, -2)[None].permute(0, 3, 1, 2)
    return F.max_pool2d(image, (len(x), 1)).permute(0, 2, 3, 1).reshape(x.shape[1:])
