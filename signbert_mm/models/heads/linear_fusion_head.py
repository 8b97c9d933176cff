"""Classifies by one linear layer for each modality (ST-Consistency, downstream)."""

from typing import Dict, Optional, Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...names import as_names
from ...registry import MODELS

FUSIONS = ('sum', 'mean')


@MODELS.register_module()
class LinearFusionHead(BaseModule):
    """Classifies the vector of each modality by its own linear layer and adds the logits.

    Adding logits rather than probabilities is not given in the paper.

    Args:
        num_classes (int): Glosses.
        in_channels (int): Width of a vector.
        modalities (Sequence[str]): Names of the modalities.
        fusion (str): 'sum' (the paper) or 'mean' (the authors' code) of the modalities' logits.
        dropout (float): Before the linear layers (not in the paper).
        loss (dict): A config of ``MODELS``.
        num_unknown (int): Further outputs, see :class:`SignHead`. (Not in the papers.)

    Raises:
        ValueError: ``fusion`` is unknown.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 512,
        modalities: Sequence[str] = ('joint', 'motion'),
        fusion: str = 'sum',
        dropout: float = 0.0,
        loss: Optional[dict] = None,
        num_unknown: int = 0,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if fusion not in FUSIONS:
            raise UserValueError(f'LinearFusionHead: fusion must be one of {FUSIONS}, got {fusion!r}')
        self.num_classes, self.in_channels, self.num_unknown = num_classes, in_channels, num_unknown
        self.modalities, self.fusion = as_names(modalities), fusion
        self.dropout = nn.Dropout(dropout)
        self.classifiers = nn.ModuleDict(
            {modality: nn.Linear(in_channels, num_classes + num_unknown) for modality in self.modalities}
        )
        self.loss_module = MODELS.build(loss or dict(type='CrossEntropyLoss'))

    def forward(self, features: Dict[str, Tensor]) -> Tensor:
        """Vectors (B, C) of each modality to logits (B, num_classes + num_unknown)."""
        logits = sum(
            classifier(self.dropout(features[modality])) for modality, classifier in self.classifiers.items()
        )
        # Sum and mean rank classes alike; they differ in the softmax and so in the gradient.
        return logits / len(self.classifiers) if self.fusion == 'mean' else logits

    def loss(self, features: Dict[str, Tensor], label: Tensor) -> dict:
        """``loss_cls`` against ``label`` (B,) int64."""
        return dict(loss_cls=self.loss_module(self(features).float(), label))
