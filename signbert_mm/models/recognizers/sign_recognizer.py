"""Recognition of isolated signs (SignBERT section 3.4)."""

from typing import Dict, Optional, Sequence, Tuple

from torch import Tensor

from ...registry import MODELS
from ..base import BaseRecognizer


@MODELS.register_module()
class SignRecognizer(BaseRecognizer):
    """The pre-trained embedder and Transformer with a classifier in place of the decoder.

    Nothing is masked. A pre-training checkpoint loads through ``load_from``, since ``embedder.*`` and
    ``backbone.*`` have the same names in it.

    Args:
        embedder (dict): As in :class:`SignBERT`; a config of ``MODELS`` like all that follow.
        backbone (dict): As in :class:`SignBERT`.
        head (dict): ``(tokens, valid) -> logits, attention``.
        frozen (Sequence[str]): Those of 'embedder' and 'backbone' that are not trained (linear evaluation).
            They stay in evaluation mode.
        data_preprocessor (dict): Crop, mirror, augment, zero missing.

    Modes: 'tensor' gives logits (B, num_classes), 'loss' a dict of losses, 'predict' one
    :class:`SignDataSample` a clip with ``pred_scores`` (num_classes,) that sum to 1, ``pred_label`` and
    ``attention`` (T, 2).
    """

    def __init__(
        self,
        embedder: dict,
        backbone: dict,
        head: dict,
        frozen: Sequence[str] = (),
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.build_classifier(embedder, backbone, head, frozen)

    def classify(self, inputs: dict, attention: bool = True) -> Tuple[Tensor, Tensor]:
        """Logits (B, num_classes + num_unknown), and the head's attention to each token (B, T, 2)."""
        return self.head(*self.extract_tokens(inputs))

    def losses(self, inputs: dict) -> Dict[str, Tensor]:
        """Mode 'loss': the head's losses."""
        return self.head.loss(*self.extract_tokens(inputs), inputs['label'])
