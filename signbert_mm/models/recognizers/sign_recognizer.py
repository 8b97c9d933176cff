"""Recognition of isolated signs (SignBERT section 3.4)."""

from typing import Dict, Optional, Sequence, Tuple

from torch import Tensor

from ...errors import UserValueError
from ...registry import MODELS
from ..base import BaseRecognizer
from ..frame_views import join_views, split_views


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
        test_views (int): V: in evaluation the encoder sees a clip of V T frames as V clips of T frames, and
            the head pools the tokens of all. The test data then sample V times as many frames as the
            training data. (Not in the papers.)
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
        test_views: int = 1,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.build_classifier(embedder, backbone, head, frozen)
        if test_views < 1:
            raise UserValueError(f'SignRecognizer: test_views must be at least 1, got {test_views}')
        self.test_views = test_views

    def extract_tokens(self, inputs: dict) -> Tuple[Tensor, Tensor]:
        """As :meth:`BaseSignModel.extract_tokens`; in evaluation of each of ``test_views`` by itself."""
        if self.training or self.test_views == 1:
            return super().extract_tokens(inputs)
        found, views = inputs['hand_valid'], self.test_views
        tokens, valid = super().extract_tokens(split_views(inputs, views))
        tokens, valid = (join_views(part, views, found.shape[1]) for part in (tokens, valid))
        # A view without a hand has a null token, which counts only where the whole clip has no hand.
        return tokens, valid & (found | ~found.flatten(1).any(1)[:, None, None])

    def classify(self, inputs: dict, attention: bool = True) -> Tuple[Tensor, Tensor]:
        """Logits (B, num_classes + num_unknown), and the head's attention to each token (B, T, 2)."""
        return self.head(*self.extract_tokens(inputs))

    def losses(self, inputs: dict) -> Dict[str, Tensor]:
        """Mode 'loss': the head's losses."""
        return self.head.loss(*self.extract_tokens(inputs), inputs['label'])
