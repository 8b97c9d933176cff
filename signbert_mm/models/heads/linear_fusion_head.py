"""One linear layer a modality (ST-Consistency, downstream)."""

from typing import Dict, Optional, Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS

FUSIONS = ('sum', 'mean')


@MODELS.register_module()
class LinearFusionHead(BaseModule):
    """Classifies the vector of each modality by a linear layer of its own and adds the logits up.

    That logits are added, and not probabilities, is not given in the paper.

    Args:
        num_classes (int): Glosses.
        in_channels (int): Width of a vector.
        modalities (Sequence[str]): Those that come in.
        fusion (str): 'sum' (the paper) or 'mean' (the authors' code) of the modalities' logits.
        dropout (float): Before the linear layers (not in the paper).
        loss (dict): A config of ``MODELS``.

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
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if fusion not in FUSIONS:
            raise UserValueError(f'LinearFusionHead: fusion must be one of {FUSIONS}, got {fusion!r}')
        self.num_classes, self.in_channels, self.modalities, self.fusion = (
            num_classes,
            in_channels,
            tuple(modalities),
            fusion,
        )
        self.dropout = nn.Dropout(dropout)
        self.classifiers = nn.ModuleDict(
            {modality: nn.Linear(in_channels, num_classes) for modality in self.modalities}
        )
        self.loss_module = MODELS.build(loss or dict(type='CrossEntropyLoss'))

    def forward(self, features: Dict[str, Tensor]) -> Tensor:
        """Vectors (B, C) of each modality to logits (B, num_classes)."""
        logits = sum(
            classifier(self.dropout(features[modality])) for modality, classifier in self.classifiers.items()
        )
        return logits / len(self.classifiers) if self.fusion == 'mean' else logits

    def loss(self, features: Dict[str, Tensor], label: Tensor) -> dict:
        """``loss_cls`` against ``label`` (B,) int64."""
        return dict(loss_cls=self.loss_module(self(features).float(), label))
