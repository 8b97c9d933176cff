"""The prediction head (SignBERT section 3.1)."""

from typing import Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS
from ..attention_pool import attention_pool, mean_pool


@MODELS.register_module()
class SignHead(BaseModule):
    """Weights the tokens by a simple attention over time and classifies their weighted sum.

    Softmax over the valid tokens of both hands, linear scorer, dropout and linear classifier are not given in
    the paper.

    Args:
        num_classes (int): Glosses.
        in_channels (int): Token width.
        dropout (float): Before the classifier.
        loss (dict): A config of ``MODELS``.
        num_unknown (int): Further outputs, behind those of the glosses, for what is outside of the
            vocabulary: see :class:`~signbert_mm.datasets.OpenSetDataset`. (Not in the papers.)
        distance (bool): One further output, which is not trained: it says how far a clip is from all glosses,
            by the Mahalanobis distance of its mean token (Lee et al., 2018). Until
            ``tools/analysis_tools/calibrate.py`` fits it to the training clips it is as large as that of the
            glosses together. (Not in the papers.)

    Raises:
        ValueError: ``num_unknown`` and ``distance`` are both given.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 512,
        dropout: float = 0.5,
        loss: Optional[dict] = None,
        num_unknown: int = 0,
        distance: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if distance and num_unknown:
            raise UserValueError(
                f'SignHead: num_unknown={num_unknown} and distance=True are two answers to what is unknown; '
                'give one of them'
            )
        self.num_classes, self.in_channels, self.distance = num_classes, in_channels, distance
        # The first of these are trained.
        self.trained_unknown, self.num_unknown = num_unknown, num_unknown + distance
        # No bias: a shift of all scores does not change the softmax.
        self.scorer = nn.Linear(in_channels, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(in_channels, num_classes + num_unknown)
        if distance:
            self.register_buffer('whitened_mean', torch.zeros(num_classes, in_channels))
            self.register_buffer('whitening', torch.zeros(in_channels, in_channels))
            # Mean and standard deviation of the training clips' distance.
            self.register_buffer('distance_scale', torch.tensor([0.0, 1.0]))
        self.loss_module = MODELS.build(loss or dict(type='CrossEntropyLoss'))

    def pool(self, tokens: Tensor, valid: Tensor) -> Tuple[Tensor, Tensor]:
        """Attention pooling.

        Args:
            tokens (Tensor): Shape (B, T, 2, C).
            valid (Tensor): Shape (B, T, 2) bool, at least one a clip.

        Returns:
            tuple[Tensor, Tensor]: The pooled vector (B, C), and the attention (B, T, 2), which sums to 1 over
            a clip and is 0 where invalid.
        """
        return attention_pool(self.scorer(tokens).squeeze(-1), tokens, valid)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tuple[Tensor, Tensor]:
        """Logits (B, num_classes + num_unknown) and attention (B, T, 2)."""
        logits, attention = self._classify(tokens, valid)
        if self.distance:
            # Log odds of glosses against the rest are then minus the distance.
            rest = logits.logsumexp(-1) + self._distance(tokens, valid)
            logits = torch.cat([logits, rest[:, None]], dim=-1)
        return logits, attention

    def _classify(self, tokens: Tensor, valid: Tensor) -> Tuple[Tensor, Tensor]:
        pooled, attention = self.pool(tokens, valid)
        return self.classifier(self.dropout(pooled)), attention

    def _distance(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """The distance (B,) to the nearest class mean, in standard deviations from that of known clips."""
        points = mean_pool(tokens, valid) @ self.whitening.T
        # (B, num_classes)
        squared = (points[:, None] - self.whitened_mean).square().sum(-1)
        return (squared.amin(-1).sqrt() - self.distance_scale[0]) / self.distance_scale[1]

    def loss(self, tokens: Tensor, valid: Tensor, label: Tensor) -> dict:
        """``loss_cls`` against ``label`` (B,) int64."""
        logits, _ = self._classify(tokens, valid)
        return dict(loss_cls=self.loss_module(logits.float(), label))
