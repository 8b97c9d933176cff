"""A maximum over the nodes of a graph."""

import torch
from torch import Tensor
from torch.nn import functional as F


def max_over_first(x: Tensor) -> Tensor:
    """``x.amax(0)``: (K, ..., C) -> (..., C). Of equal values one takes the gradient.

    It is torch's pooling over images of height K, whose gradient is written once.
    """
    if torch.compiler.is_exporting():
        # pooling compares strides, which are not known there
        return x.amax(0)
    # every step, and its gradient, is a view that torch sees as channels last in memory; otherwise it copies
    image = x.flatten(1, -2)[None].permute(0, 3, 1, 2)  # (1, C, K, ...)
    return F.max_pool2d(image, (len(x), 1)).permute(0, 2, 3, 1).reshape(x.shape[1:])
