"""Knowledge transfer between joint and motion (ST-Consistency eqs. 5 to 7)."""

from typing import Optional, Tuple

from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS
from .similarity import is_key, kl_divergence, mean_over_clips, over_nearest_anchors


@MODELS.register_module()
class KnowledgeTransferLoss(nn.Module):
    """L(A -> B) + L(B -> A), the mean over clips (eq. 7).

    L(A -> B) = KL(p(f~_A, tau_t, S_A; N+_A) || p(f_B, tau_s, S_B; N+_A)) (eq. 6). N+_A are the K anchors of
    S_A nearest to f~_A, and p(z, tau, S; N+) is the softmax of z.n / tau over them (eq. 5). The key side is
    the teacher and gets no gradient.

    Args:
        num_anchors (int): K; 8,192 in the paper.
        teacher_temperature (float): tau_t; 0.05 in the paper.
        student_temperature (float): tau_s; 0.1 in the paper.
        loss_weight (float): Factor.
    """

    def __init__(
        self,
        num_anchors: int = 8192,
        teacher_temperature: float = 0.05,
        student_temperature: float = 0.1,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if min(num_anchors, teacher_temperature, student_temperature) <= 0:
            raise UserValueError(
                'KnowledgeTransferLoss: num_anchors and the temperatures must be positive, got '
                f'{num_anchors}, {teacher_temperature} and {student_temperature}'
            )
        self.num_anchors, self.loss_weight = num_anchors, loss_weight
        self.teacher_temperature, self.student_temperature = teacher_temperature, student_temperature

    def forward(
        self,
        query: Tuple[Tensor, Tensor],
        key: Tuple[Tensor, Tensor],
        anchors: Tuple[Tensor, Tensor],
        counts: Optional[Tensor] = None,
    ) -> Tensor:
        """The loss, a scalar.

        Args:
            query (tuple[Tensor, Tensor]): f of both modalities, shape (B, C) each.
            key (tuple[Tensor, Tensor]): f~ of both.
            anchors (tuple[Tensor, Tensor]): S of both (eq. 4), shape (N, C) each, the same clips in the same
                slots; zeros are no anchors.
            counts (Tensor, optional): Shape (B,) bool: clips that count; None = all.
        """
        # A slot is an anchor only where its clip has both modalities.
        valid = is_key(anchors[0]) & is_key(anchors[1])
        per_clip = 0
        for a, b in ((0, 1), (1, 0)):
            near, other = over_nearest_anchors(
                key[a], anchors[a], query[b], anchors[b], self.num_anchors, valid
            )
            per_clip = per_clip + kl_divergence(
                # The teacher's lower temperature gives a sharper target.
                near / self.teacher_temperature,
                other / self.student_temperature,
            )
        return self.loss_weight * mean_over_clips(per_clip, counts)
