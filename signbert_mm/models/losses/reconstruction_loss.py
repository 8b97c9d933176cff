"""Confidence-weighted reconstruction (SignBERT eq. 7)."""

import torch
from torch import Tensor, nn

from ...registry import MODELS


def mean_over_chosen(per_token: Tensor, chosen: Tensor) -> Tensor:
    """Mean over the chosen tokens of each clip, then over clips.

    Args:
        per_token (Tensor): Shape (B, T, 2).
        chosen (Tensor): Shape (B, T, 2) bool.

    Returns:
        Tensor: Scalar. A clip without chosen tokens counts as 0.
    """
    # ``where`` and not a product: a token that is not chosen may hold NaN.
    total = torch.where(chosen, per_token, torch.zeros_like(per_token)).flatten(1).sum(1)
    # Clips without chosen tokens stay in the mean, so the mean over ranks is the mean over the full batch.
    return (total / chosen.flatten(1).sum(1).clamp(min=1)).mean()


@MODELS.register_module()
class ReconstructionLoss(nn.Module):
    """L_rec = sum over t, j of 1[c(t, j) >= eps] c(t, j) |J2D_pred - J2D|_1 on the chosen tokens (eq. 7).

    Coordinates are fractions of the crop. The loss is the sum over joints, then the mean over the chosen
    tokens of a clip and over clips (reduction and units are not given in the paper). c is the joint's
    original confidence, also where the joint was disturbed or zeroed.

    Args:
        eps (float): Joints below this confidence do not count; 0.5 in the paper.
        loss_weight (float): Factor.
    """

    def __init__(self, eps: float = 0.5, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.eps, self.loss_weight = eps, loss_weight

    def forward(self, predicted: Tensor, target: Tensor, scores: Tensor, chosen: Tensor) -> Tensor:
        """The loss, a scalar.

        Args:
            predicted (Tensor): Shape (B, T, 2, 21, 2), float32, fractions of the crop.
            target (Tensor): The same shape: the augmented, undisturbed pose.
            scores (Tensor): Shape (B, T, 2, 21) in [0, 1]; 0 = missing.
            chosen (Tensor): Shape (B, T, 2) bool.
        """
        # The confidence is threshold and weight at once.
        weight = scores * (scores >= self.eps)
        # (B, T, 2)
        per_token = (weight[..., None] * (predicted - target).abs()).sum((-1, -2))
        return self.loss_weight * mean_over_chosen(per_token, chosen)
