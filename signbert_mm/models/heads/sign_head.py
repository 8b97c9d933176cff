"""The prediction head (SignBERT section 3.1)."""

from typing import Optional, Tuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS
from ..attention_pool import attention_pool


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
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 512,
        dropout: float = 0.5,
        loss: Optional[dict] = None,
        num_unknown: int = 0,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_classes, self.in_channels, self.num_unknown = num_classes, in_channels, num_unknown
        # No bias: a shift of all scores does not change the softmax.
        self.scorer = nn.Linear(in_channels, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(in_channels, num_classes + num_unknown)
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
        pooled, attention = self.pool(tokens, valid)
        return self.classifier(self.dropout(pooled)), attention

    def loss(self, tokens: Tensor, valid: Tensor, label: Tensor) -> dict:
        """``loss_cls`` against ``label`` (B,) int64."""
        logits, _ = self(tokens, valid)
        return dict(loss_cls=self.loss_module(logits.float(), label))
