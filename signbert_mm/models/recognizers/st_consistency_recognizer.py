"""Recognition of isolated signs from joints and motion, hands and trunk (ST-Consistency, downstream)."""

from typing import Dict, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserValueError
from ...names import as_names
from ...registry import MODELS
from ..base import BaseRecognizer

MODALITIES = ('joint', 'motion')


@MODELS.register_module()
class STConsistencyRecognizer(BaseRecognizer):
    """The pre-trained query encoders with a linear layer in place of the projectors.

    A pre-training checkpoint loads through ``load_from``, since ``encoders.<modality>.*`` have the same names
    in it. The encoder's ``parts`` choose hands or trunk alone.

    Args:
        encoder (dict): ``(hands, trunk, hand_valid, frame_valid, trunk_valid) -> dict of vectors``, built for
            each modality; a config of ``MODELS`` like all that follow.
        head (dict): ``features -> logits``; its ``modalities`` are set here.
        modalities (Sequence[str]): One or both of 'joint' and 'motion'.
        frozen (bool): The encoders are not trained (linear protocol). They stay in evaluation mode and
            compute no gradients.
        data_preprocessor (dict): Its pipelines make one view, see :class:`MakeViews`.

    Modes: 'tensor' gives logits (B, num_classes), 'loss' a dict of losses, 'predict' one
    :class:`SignDataSample` a clip with ``pred_scores`` (num_classes,) that sum to 1, ``pred_label`` and, with
    hands, ``attention`` (T, 2), the mean over the modalities.

    Raises:
        ValueError: A modality is unknown or repeated, or the head's width is not the encoder's.
    """

    encoder_parts = ('encoders',)
    one_length = True

    def __init__(
        self,
        encoder: dict,
        head: dict,
        modalities: Sequence[str] = MODALITIES,
        frozen: bool = False,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        modalities = as_names(modalities)
        if not modalities or set(modalities) - set(MODALITIES) or len(set(modalities)) != len(modalities):
            raise UserValueError(
                f'STConsistencyRecognizer: modalities must be some of {MODALITIES}, each once, '
                f'got {modalities}'
            )
        self.modalities, self.frozen = modalities, frozen
        self.encoders = nn.ModuleDict({modality: MODELS.build(encoder) for modality in self.modalities})
        self.head = MODELS.build(dict(head, modalities=self.modalities))
        for modality, module in self.encoders.items():
            # Parts of one's own may state no width. Then nothing is checked here.
            width, expected = getattr(module, 'out_channels', None), getattr(self.head, 'in_channels', None)
            if width is not None and expected is not None and width != expected:
                raise UserValueError(
                    f'STConsistencyRecognizer: model.encoder gives vectors of width {width} ({modality}), '
                    f'but model.head.in_channels is {expected}. '
                    'Set both to one width'
                )
        if frozen:
            self.freeze(self.encoder_parts)

    @property
    def attends(self) -> bool:
        """Whether any encoder pools hands."""
        return any('hand' in getattr(encoder, 'parts', ('hand',)) for encoder in self.encoders.values())

    def encode(self, inputs: dict, attention: bool = False) -> Dict[str, Dict[str, Tensor]]:
        """The output of each modality's encoder for the first view.

        Raises:
            ValueError: The batch has no views, or no motion where a motion encoder is.
        """
        if not inputs.get('views'):
            raise UserValueError(
                'STConsistencyRecognizer: the batch has no `views`. The pipelines of model.data_preprocessor '
                'need '
                "dict(type='MakeViews', transforms=[..]), see "
                'configs/_base_/models/st_consistency_recognizer.py'
            )
        view = inputs['views'][0]
        absent = [modality for modality in self.modalities if modality not in view]
        if absent:
            raise UserValueError(
                f'STConsistencyRecognizer: the view has no {absent}; the transforms of '
                "MakeViews need dict(type='Motion') at their end"
            )
        # In the encoder's order of arguments. A view without a trunk has no `trunk_valid`.
        valid = [view[name] for name in ('hand_valid', 'frame_valid', 'trunk_valid') if name in view]
        # Frozen encoders then keep no activations for a backward pass.
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return {
                modality: self.encoders[modality](
                    view[modality]['hands'], view[modality]['trunk'], *valid, attention=attention
                )
                for modality in self.modalities
            }

    @staticmethod
    def add_up(encoded: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
        """f = f_h + f_tr (B, C) of each modality, or the one part that the encoder gives."""
        return {
            modality: sum(vectors[part] for part in ('hand', 'trunk') if part in vectors)
            for modality, vectors in encoded.items()
        }

    def extract_features(self, inputs: dict) -> Tensor:
        """The vector (B, M C) that kNN compares: f of M modalities, each scaled to length 1, side by side."""
        return torch.cat(
            [F.normalize(vectors.float(), dim=-1) for vectors in self.add_up(self.encode(inputs)).values()],
            dim=-1,
        )

    def classify(self, inputs: dict, attention: bool = True) -> Tuple[Tensor, Optional[Tensor]]:
        """Logits (B, num_classes + num_unknown), and the attention (B, T, 2) that pools the hands, if any.

        The attention is the mean over the modalities.
        """
        encoded = self.encode(inputs, attention=attention)
        weights = [vectors['hand_attention'] for vectors in encoded.values() if 'hand_attention' in vectors]
        return self.head(self.add_up(encoded)), sum(weights) / len(weights) if weights else None

    def losses(self, inputs: dict) -> Dict[str, Tensor]:
        """Mode 'loss': the head's losses."""
        return self.head.loss(self.add_up(self.encode(inputs)), inputs['label'])
