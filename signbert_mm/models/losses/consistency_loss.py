"""Consistency between hands and trunk (ST-Consistency eq. 3)."""

from typing import Optional, Tuple

from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS
from .similarity import is_key, kl_divergence, mean_over_clips, over_nearest_anchors


@MODELS.register_module()
class ConsistencyLoss(nn.Module):
    """KL(p(f~_h) || p(f_tr)) + KL(p(f~_tr) || p(f_h)), the mean over clips (eq. 3).

    p(f) = softmax(f / tau1) over the feature dimensions.

    The key side (~) is the teacher and gets no gradient. f is the projected vector of length 1 that eq. 2
    contrasts (not given in the paper).

    ``num_anchors`` chooses the variant of the authors' code, where p ranges over the bank's keys that are
    nearest to the teacher. The hand's teacher is compared with the keys of hands, and the trunk's student
    with the keys of trunks in the same slots, and the other way round.

    Args:
        temperature (float): tau1; 0.1 in the paper.
        teacher_temperature (float, optional): That of the key side; None = tau1 (authors' code: 0.05).
        num_anchors (int, optional): Anchors of the variant, 1,024 in the authors' code; None = eq. 3.
        loss_weight (float): Factor.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        num_anchors: Optional[int] = None,
        loss_weight: float = 1.0,
        teacher_temperature: Optional[float] = None,
    ) -> None:
        super().__init__()
        teacher_temperature = temperature if teacher_temperature is None else teacher_temperature
        if min(temperature, teacher_temperature) <= 0 or (num_anchors is not None and num_anchors < 1):
            raise UserValueError(
                'ConsistencyLoss: temperature, teacher_temperature and num_anchors must be positive, got '
                f'{temperature}, {teacher_temperature} and {num_anchors}'
            )
        self.temperature, self.teacher_temperature = temperature, teacher_temperature
        self.num_anchors, self.loss_weight = num_anchors, loss_weight

    def forward(
        self,
        query: Tuple[Tensor, Tensor],
        key: Tuple[Tensor, Tensor],
        banks: Optional[Tuple[Tensor, Tensor]] = None,
        counts: Optional[Tensor] = None,
    ) -> Tensor:
        """The loss, a scalar.

        Args:
            query (tuple[Tensor, Tensor]): f_h and f_tr, shape (B, C) each.
            key (tuple[Tensor, Tensor]): f~_h and f~_tr, likewise.
            banks (tuple[Tensor, Tensor], optional): Keys of hands and of trunks, shape (N, C) each; zeros are
                no keys. Needed with ``num_anchors``.
            counts (Tensor, optional): Shape (B,) bool: clips that count; None = all.
        """
        per_clip = self._one_way(key, query, banks, 0) + self._one_way(key, query, banks, 1)
        return self.loss_weight * mean_over_clips(per_clip, counts)

    def _one_way(
        self,
        key: Tuple[Tensor, Tensor],
        query: Tuple[Tensor, Tensor],
        banks: Optional[Tuple[Tensor, Tensor]],
        teacher: int,
    ) -> Tensor:
        """KL (B,) from key ``teacher`` to the query of the other part."""
        student = 1 - teacher
        # Eq. 3 itself: the vector's entries are the logits.
        if self.num_anchors is None:
            return kl_divergence(key[teacher] / self.teacher_temperature, query[student] / self.temperature)
        # A slot counts only where the clip showed both parts.
        valid = is_key(banks[0]) & is_key(banks[1])
        near, other = over_nearest_anchors(
            key[teacher], banks[teacher], query[student], banks[student], self.num_anchors, valid
        )
        return kl_divergence(near / self.teacher_temperature, other / self.temperature)
