"""Pools a clip's tokens into one vector."""

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
        tuple[Tensor, Tensor]: The pooled vector (B, C), and the attention (B, T, H), which sums to 1 over a
        clip and is 0 where invalid. Both are 0 in a clip without a valid token.
    """
    # The smallest finite number, not -inf: a clip without a valid token would give NaN.
    score = score.float().masked_fill(~valid, torch.finfo(torch.float32).min)
    # In such a clip the softmax is uniform, and ``* valid`` makes it 0.
    attention = score.flatten(1).softmax(1).view_as(score) * valid
    return torch.einsum('bth,bthc->bc', attention.to(tokens.dtype), tokens), attention


def add_first_where_none(valid: Tensor) -> Tensor:
    """``valid`` (B, T, H) bool, and the first token of each clip that has no valid one.

    The softmax of attention would be NaN over no token at all.
    """
    first = torch.arange(valid[0].numel(), device=valid.device).view_as(valid[0]) == 0
    return valid | (first & ~valid.flatten(1).any(1)[:, None, None])


def mean_pool(tokens: Tensor, valid: Tensor) -> Tensor:
    """The mean (B, C) of a clip's valid tokens; 0 in a clip without any."""
    return attention_pool(tokens.new_zeros(tokens.shape[:-1]), tokens, valid)[0]


def pool_segments(tokens: Tensor, valid: Tensor, length: Tensor, segments: int) -> Tensor:
    """Mean of the valid tokens of both hands in each of ``segments`` equal parts of the clip.

    The parts' means are concatenated and scaled to length 1.

    Args:
        tokens (Tensor): Shape (B, T, 2, C).
        valid (Tensor): Shape (B, T, 2) bool.
        length (Tensor): Shape (B,) int64, real frames.
        segments (int): Parts; one without a valid token gives 0.

    Returns:
        Tensor: Shape (B, segments * C) float32.
    """
    # The part of each frame: (B, T). Padding frames lie beyond the last part.
    part = torch.arange(tokens.shape[1], device=tokens.device) * segments // length[:, None].clamp(min=1)
    # Membership of each token in each part: (B, T, 2, S).
    member = (part[..., None] == torch.arange(segments, device=tokens.device))[:, :, None] & valid[..., None]
    weight = member.float()
    # ``where`` and not a product: an invalid token may hold NaN.
    total = torch.einsum('bths,bthc->bsc', weight, torch.where(valid[..., None], tokens.float(), 0.0))
    mean = total / weight.sum((1, 2)).clamp(min=1)[..., None]
    return torch.nn.functional.normalize(mean.flatten(1), dim=-1)
