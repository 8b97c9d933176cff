"""Cross-entropy of the classes' scores."""

from typing import Optional, Sequence

import torch
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS


@MODELS.register_module()
class CrossEntropyLoss(nn.CrossEntropyLoss):
    """torch's ``CrossEntropyLoss`` whose class weights can be written in a config.

    Args:
        weight (Sequence[float], optional): A factor for each class, in the order of the labels. The loss is
            the mean over clips weighted by them. None = 1 for all. Checkpoints do not hold them.
        label_smoothing (float): Share of the target that is spread over all classes, in [0, 1).
        ignore_index (int): Label of clips that do not count.
        reduction (str): 'mean', 'sum' or 'none'.

    Raises:
        ValueError: A weight is negative or not finite, all are 0, their number is not that of the classes, or
            ``label_smoothing`` is out of range.
    """

    def __init__(
        self,
        weight: Optional[Sequence[float]] = None,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: str = 'mean',
    ) -> None:
        if not 0 <= label_smoothing < 1:
            raise UserValueError(
                f'CrossEntropyLoss: label_smoothing must lie in [0, 1), got {label_smoothing!r}'
            )
        super().__init__(ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)
        if weight is None:
            return
        weight = torch.as_tensor(weight, dtype=torch.float32)
        if weight.ndim != 1 or not (weight >= 0).all() or not 0 < weight.sum() < torch.inf:
            raise UserValueError(
                'CrossEntropyLoss: weight must be a list of one factor for each class, none of them '
                f'negative and not all 0, got {weight.tolist()}'
            )
        # Not persistent: it is a setting, and a fine-tuned checkpoint loads whatever the weights were.
        self.register_buffer('weight', weight, persistent=False)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of scores (B, C, ..) against labels (B, ..)."""
        if self.weight is not None and len(self.weight) != input.shape[1]:
            raise UserValueError(
                f'CrossEntropyLoss: weight has {len(self.weight)} factors and the scores have '
                f'{input.shape[1]} classes; give one factor for each class'
            )
        return super().forward(input, target)
