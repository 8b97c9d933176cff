"""Pre-training by masking and rebuilding hand poses (SignBERT section 3.2)."""

from typing import List, Optional, Tuple, Union

from mmengine.model import BaseModel
from torch import Tensor

from ...errors import UserValueError
from ...registry import MODELS
from ...structures import SignDataSample
from ..attention_pool import mean_pool
from ..unbatch import unbatch
from ..widths import check_widths


@MODELS.register_module()
class SignBERT(BaseModel):
    """SignBERT's pre-trainer: embedder, Transformer, decoder, and L = L_rec + lambda L_reg on the chosen
    tokens (eq. 6).

    Args:
        embedder (dict): ``(batch) -> tokens, valid``; a config of ``MODELS`` like all that follow.
        backbone (dict): ``(tokens, valid) -> tokens``.
        decoder (dict): ``(tokens) -> dict`` with ``joints2d`` and, for a hand model, ``theta`` and ``beta``.
        loss_rec (dict): L_rec (eq. 7).
        loss_reg (dict, optional): L_reg (eq. 8), lambda within; None for decoders without a hand model.
        data_preprocessor (dict): Its pipeline ends with :class:`MaskHandTokens` and :class:`ZeroMissing`.

    Modes: 'tensor' gives the decoder's dict; 'loss' a dict of losses; 'predict' one :class:`SignDataSample` a
    clip with ``pred_hands``, ``target_hands``, ``input_hands`` (T, 2, 21, 2), ``hand_scores`` (T, 2, 21),
    ``hand_valid``, ``chosen`` (T, 2), ``boxes`` (T, 2, 3) and a hand model's parameters, the clip's real
    frames only.
    """

    def __init__(
        self,
        embedder: dict,
        backbone: dict,
        decoder: dict,
        loss_rec: Optional[dict] = None,
        loss_reg: Optional[dict] = None,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ) -> None:
        # built here: mmengine would look in its own registry wherever no default scope is set
        super().__init__(
            MODELS.build(data_preprocessor) if isinstance(data_preprocessor, dict) else data_preprocessor,
            init_cfg,
        )
        self.embedder = MODELS.build(embedder)
        self.backbone = MODELS.build(backbone)
        self.decoder = MODELS.build(decoder)
        check_widths(self, 'decoder')
        self.loss_rec = MODELS.build(loss_rec or dict(type='ReconstructionLoss'))
        self.loss_reg = MODELS.build(loss_reg) if loss_reg else None

    def forward(
        self, inputs: dict, data_samples: Optional[list] = None, mode: str = 'tensor'
    ) -> Union[dict, List[SignDataSample]]:
        """See the class."""
        tokens, visible = self.embedder(inputs)
        decoded = self.decoder(self.backbone(tokens, visible))
        if mode == 'tensor':
            return decoded
        if 'target' not in inputs:
            raise UserValueError(
                'SignBERT: the batch is not masked (no `target`), so there is nothing to rebuild. End the '
                'pipelines of model.data_preprocessor with '
                "dict(type='MaskHandTokens'), dict(type='ZeroMissing')"
            )
        if mode == 'loss':
            return self.losses(decoded, inputs)
        if mode == 'predict':
            return self.predictions(decoded, inputs)
        raise UserValueError(f"SignBERT: mode must be 'tensor', 'loss' or 'predict', got {mode!r}")

    def extract_tokens(self, inputs: dict) -> Tuple[Tensor, Tensor]:
        """Contextualised tokens (B, T, 2, C) and which are valid (B, T, 2), of the unmasked pose where the
        batch is masked.
        """
        tokens, valid = self.embedder(dict(inputs, hands=inputs.get('target', inputs['hands'])))
        return self.backbone(tokens, valid), valid

    def extract_features(self, inputs: dict) -> Tensor:
        """What kNN compares: the mean (B, C) of a clip's valid tokens."""
        return mean_pool(*self.extract_tokens(inputs))

    def losses(self, decoded: dict, inputs: dict) -> dict:
        """``loss_rec`` and, with a hand model, ``loss_reg``: scalars whose sum is eq. 6."""
        losses = dict(
            loss_rec=self.loss_rec(
                decoded['joints2d'], inputs['target'], inputs['hand_scores'], inputs['chosen']
            )
        )
        if self.loss_reg is not None:
            if 'theta' not in decoded:
                raise UserValueError(
                    'SignBERT: loss_reg (eq. 8) is of hand-model parameters, and '
                    f'{type(self.decoder).__name__} gives none; set model.loss_reg=None'
                )
            losses['loss_reg'] = self.loss_reg(
                decoded['theta'], decoded['beta'], inputs['hand_valid'], inputs['chosen']
            )
        return losses

    @staticmethod
    def predictions(decoded: dict, inputs: dict) -> List[SignDataSample]:
        """One sample a clip, on the CPU."""
        fields = dict(
            pred_hands=decoded['joints2d'],
            target_hands=inputs['target'],
            input_hands=inputs['hands'],
            hand_scores=inputs['hand_scores'],
            hand_valid=inputs['hand_valid'],
            chosen=inputs['chosen'],
            operation=inputs['operation'],
            disturbed=inputs['disturbed'],
        )
        if 'boxes' in inputs:
            fields['boxes'] = inputs['boxes']
        extra: List[str] = ['theta', 'beta', 'rotation', 'offset', 'scale', 'joints3d', 'vertices']
        fields.update({key: decoded[key] for key in extra if key in decoded})
        return unbatch(fields, inputs)
