"""Contrast of two views with a bank of keys (ST-Consistency eq. 2)."""

from typing import Optional

import torch
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS
from .similarity import NEVER, is_key, mean_over_clips


@MODELS.register_module()
class InfoNCELoss(nn.Module):
    """-log(exp(z.z~ / tau) / (exp(z.z~ / tau) + sum over the bank of exp(z.m / tau))), the mean over clips.

    One term of eq. 2.

    Args:
        temperature (float): tau_c; 0.07 in the paper.
        loss_weight (float): Factor.
    """

    def __init__(self, temperature: float = 0.07, loss_weight: float = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise UserValueError(f'InfoNCELoss: temperature must be positive, got {temperature}')
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(self, query: Tensor, key: Tensor, bank: Tensor, counts: Optional[Tensor] = None) -> Tensor:
        """The loss, a scalar.

        Args:
            query (Tensor): z, shape (B, C), of length 1.
            key (Tensor): z~ of the same clips, shape (B, C), without gradient.
            bank (Tensor): Shape (N, C); zeros are no keys.
            counts (Tensor, optional): Shape (B,) bool: clips that count; None = all.
        """
        # (B, 1)
        positive = (query * key.detach()).sum(-1, keepdim=True)
        # Slots that hold no key get no weight in the softmax.
        # (B, N)
        negative = (query @ bank.t()).masked_fill(~is_key(bank), NEVER)
        # Cross-entropy with the positive as class 0.
        per_clip = -(torch.cat([positive, negative], dim=1) / self.temperature).log_softmax(-1)[:, 0]
        return self.loss_weight * mean_over_clips(per_clip, counts)
