"""Recognition of isolated signs (SignBERT section 3.3)."""

from typing import List, Optional, Sequence, Tuple, Union

from mmengine.model import BaseModel
from torch import Tensor

from ...errors import UserValueError
from ...registry import MODELS
from ...structures import SignDataSample
from ..attention_pool import mean_pool
from ..unbatch import unbatch
from ..widths import check_widths


@MODELS.register_module()
class SignRecognizer(BaseModel):
    """Embedder and Transformer as pre-trained, with the prediction head in place of the decoder; nothing is
    masked.

    A pre-training checkpoint fits through ``load_from``: ``embedder.*`` and ``backbone.*`` have the same
    names there.

    Args:
        embedder (dict): As in :class:`SignBERT`; a config of ``MODELS`` like all that follow.
        backbone (dict): As in :class:`SignBERT`.
        head (dict): ``(tokens, valid) -> logits, attention``.
        frozen (Sequence[str]): Of 'embedder' and 'backbone', those that are not trained (linear evaluation);
            they stay in evaluation mode.
        data_preprocessor (dict): Crop, mirror, augment, zero missing.

    Modes: 'tensor' gives logits (B, num_classes); 'loss' a dict of losses; 'predict' one
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
        # built here: mmengine would look in its own registry wherever no default scope is set
        super().__init__(
            MODELS.build(data_preprocessor) if isinstance(data_preprocessor, dict) else data_preprocessor,
            init_cfg,
        )
        unknown = set(frozen) - {'embedder', 'backbone'}
        if unknown:
            raise UserValueError(
                f"SignRecognizer: frozen may name 'embedder' and 'backbone', got {sorted(unknown)}"
            )
        self.embedder = MODELS.build(embedder)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        check_widths(self, 'head')
        self.frozen = tuple(frozen)
        for name in self.frozen:
            getattr(self, name).requires_grad_(False)

    def train(self, mode: bool = True) -> 'SignRecognizer':
        """Frozen parts stay in evaluation mode."""
        super().train(mode)
        for name in self.frozen:
            getattr(self, name).eval()
        return self

    def extract_tokens(self, inputs: dict) -> Tuple[Tensor, Tensor]:
        """Contextualised tokens (B, T, 2, C) and which are valid (B, T, 2)."""
        tokens, valid = self.embedder(inputs)
        return self.backbone(tokens, valid), valid

    def extract_features(self, inputs: dict) -> Tensor:
        """What kNN compares: the mean (B, C) of a clip's valid tokens."""
        return mean_pool(*self.extract_tokens(inputs))

    def forward(
        self, inputs: dict, data_samples: Optional[list] = None, mode: str = 'tensor'
    ) -> Union[Tensor, dict, List[SignDataSample]]:
        """See the class."""
        tokens, valid = self.extract_tokens(inputs)
        if mode == 'loss':
            return self.head.loss(tokens, valid, inputs['label'])
        logits, attention = self.head(tokens, valid)
        if mode == 'tensor':
            return logits
        if mode == 'predict':
            scores = logits.float().softmax(-1)
            fields = dict(pred_scores=scores, pred_label=scores.argmax(-1), attention=attention)
            return unbatch(fields, inputs, per_clip=('pred_scores', 'pred_label'))
        raise UserValueError(f"SignRecognizer: mode must be 'tensor', 'loss' or 'predict', got {mode!r}")
