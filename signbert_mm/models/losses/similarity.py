"""What the losses over a memory bank have in common."""

from typing import Optional, Tuple

import torch
from torch import Tensor

# A logit whose softmax is 0. It is finite, so that nothing becomes NaN where every key is missing.
NEVER = -1e30


def is_key(keys: Tensor) -> Tensor:
    """Which rows of (N, C) are keys: shape (N,) bool. Rows of zeros are none."""
    return (keys != 0).any(-1)


def mean_over_clips(per_clip: Tensor, counts: Optional[Tensor]) -> Tensor:
    """Mean over the batch of (B,), in which a clip that does not count adds 0; None = all count."""
    if counts is None:
        return per_clip.mean()
    # Dividing by the full batch makes the mean over processes equal to the mean over all clips.
    return torch.where(counts, per_clip, torch.zeros_like(per_clip)).mean()


def kl_divergence(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(softmax(teacher) || softmax(student)) over the last axis of logits; ``teacher`` gets no gradient.

    Args:
        teacher (Tensor): Shape (..., K).
        student (Tensor): Shape (..., K); where a logit of either is ``NEVER``, so must be that of the other.

    Returns:
        Tensor: Shape (...), in nats.
    """
    log_p, log_q = teacher.detach().log_softmax(-1), student.log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def over_nearest_anchors(
    teacher: Tensor,
    teacher_anchors: Tensor,
    student: Tensor,
    student_anchors: Tensor,
    count: int,
    valid: Tensor,
) -> Tuple[Tensor, Tensor]:
    """Similarities of both sides to the ``count`` anchors nearest to the teacher (N+ of eq. 5).

    Similarity is the dot product. Of equally near anchors, those in lower slots are chosen. Where fewer than
    ``count`` exist, all are.

    Args:
        teacher (Tensor): Shape (B, C).
        teacher_anchors (Tensor): Shape (N, C).
        student (Tensor): Shape (B, C).
        student_anchors (Tensor): Shape (N, C), in the same slots.
        count (int): K, at most N.
        valid (Tensor): Shape (N,) bool: slots that hold an anchor.

    Returns:
        tuple[Tensor, Tensor]: Shape (B, K) each, ``NEVER`` where there is no anchor.
    """
    # (B, N)
    near = (teacher.detach() @ teacher_anchors.t()).masked_fill(~valid, NEVER)
    other = (student @ student_anchors.t()).masked_fill(~valid, NEVER)
    # All slots are anchors, and the KL divergence does not depend on their order.
    if count == near.shape[1]:
        return near, other
    # A stable sort and not ``topk``, which does not define the order of equal values.
    near, order = near.sort(dim=1, descending=True, stable=True)
    order = order[:, :count]
    return near[:, :count], other.gather(1, order)
