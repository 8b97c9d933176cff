"""Softmax attention in time."""

from typing import Tuple

import torch
from torch import Tensor


def attention_pool(score: Tensor, tokens: Tensor, valid: Tensor) -> Tuple[Tensor, Tensor]:
    """The weighted sum of a clip's valid tokens.

    Args:
        score (Tensor): Shape (B, T, H), a token's score before the softmax.
        tokens (Tensor): Shape (B, T, H, C).
        valid (Tensor): Shape (B, T, H) bool; the others have no weight.

    Returns:
        tuple[Tensor, Tensor]: The pooled vector (B, C), and the attention (B, T, H): it sums to 1 over a clip and is 0 where invalid. Both are 0 in a
        clip without a valid token.
    """
    score = score.float().masked_fill(~valid, torch.finfo(torch.float32).min)
    attention = score.flatten(1).softmax(1).view_as(score) * valid
    return torch.einsum('bth,bthc->bc', attention.to(tokens.dtype), tokens), attention


def mean_pool(tokens: Tensor, valid: Tensor) -> Tensor:
    """The mean (B, C) of a clip's valid tokens; 0 in a clip without any."""
    return attention_pool(tokens.new_zeros(tokens.shape[:-1]), tokens, valid)[0]
