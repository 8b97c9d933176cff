"""Keeps the hand model's parameters plausible (SignBERT eq. 8)."""

import torch
from torch import Tensor, nn

from ...registry import MODELS
from .reconstruction_loss import mean_over_chosen


@MODELS.register_module()
class HandRegularization(nn.Module):
    """L_reg = sum_t |theta_t|^2 + w_beta |beta_t|^2 + w_delta |beta_t - beta_(t-1)|^2 (eq. 8).

    The sum runs over the chosen tokens. The difference is that between a chosen frame and the previous frame
    of the same hand, where the hand was detected in that too (not given in the paper). The loss is the mean
    over the chosen tokens of a clip and over clips, as in eq. 7.

    Args:
        weight_beta (float): w_beta; 10 in the paper.
        weight_delta (float): w_delta; 100 in the paper.
        loss_weight (float): lambda of eq. 6; 0.01 in the paper.
    """

    def __init__(
        self, weight_beta: float = 10.0, weight_delta: float = 100.0, loss_weight: float = 0.01
    ) -> None:
        super().__init__()
        self.weight_beta, self.weight_delta, self.loss_weight = weight_beta, weight_delta, loss_weight

    def forward(self, theta: Tensor, beta: Tensor, valid: Tensor, chosen: Tensor) -> Tensor:
        """The loss, a scalar.

        Args:
            theta (Tensor): Shape (B, T, 2, P), pose coefficients, float32.
            beta (Tensor): Shape (B, T, 2, 10), shape coefficients.
            valid (Tensor): Shape (B, T, 2) bool: the hand was detected.
            chosen (Tensor): Shape (B, T, 2) bool.
        """
        change = (beta[:, 1:] - beta[:, :-1]).square().sum(-1) * valid[:, :-1]
        # The first frame has no previous one.
        # (B, T, 2)
        change = torch.cat([torch.zeros_like(beta[:, :1, :, 0]), change], dim=1)
        per_token = (
            theta.square().sum(-1) + self.weight_beta * beta.square().sum(-1) + self.weight_delta * change
        )
        return self.loss_weight * mean_over_chosen(per_token, chosen)
