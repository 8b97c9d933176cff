"""Pre-training by masking and rebuilding hand poses (SignBERT sections 3.2, 3.3)."""

from typing import Dict, List, Optional

from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS
from ...structures import SignDataSample
from ..base import BasePretrainer
from ..unbatch import unbatch
from ..widths import check_widths


@MODELS.register_module()
class SignBERT(BasePretrainer):
    """SignBERT's pre-trainer: rebuilds masked hands from the other tokens of the clip.

    Embedder, Transformer, decoder, and L = L_rec + lambda L_reg on the chosen tokens (eq. 6).

    Args:
        embedder (dict): ``(batch) -> tokens, valid``; a config of ``MODELS`` like all that follow.
        backbone (dict): ``(tokens, valid) -> tokens``.
        decoder (dict): ``(tokens) -> dict`` with ``joints2d`` and, for a hand model, ``theta`` and ``beta``.
        loss_rec (dict): L_rec (eq. 7).
        loss_reg (dict, optional): lambda L_reg (eq. 8); None for decoders without a hand model.
        data_preprocessor (dict): Its pipeline ends with :class:`MaskHandTokens` and :class:`ZeroMissing`.

    Modes: 'tensor' gives the decoder's dict, 'loss' a dict of losses, 'predict' one :class:`SignDataSample` a
    clip. The sample holds the clip's real frames only: ``pred_hands``, ``target_hands``, ``input_hands``
    (T, 2, 21, 2), ``hand_scores`` (T, 2, 21), ``hand_valid``, ``chosen`` (T, 2), ``boxes`` (T, 2, 3) and a
    hand model's parameters.
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
        super().__init__(data_preprocessor, init_cfg)
        self.embedder = MODELS.build(embedder)
        self.backbone = MODELS.build(backbone)
        self.decoder = MODELS.build(decoder)
        check_widths(self, 'decoder')
        self.loss_rec = MODELS.build(loss_rec or dict(type='ReconstructionLoss'))
        self.loss_reg = MODELS.build(loss_reg) if loss_reg else None

    @property
    def hand_model(self) -> Optional[nn.Module]:
        """The decoder's hand model, if it has one."""
        return getattr(self.decoder, 'hand_model', None)

    def outputs(self, inputs: dict, **options: bool) -> Dict[str, Tensor]:
        """The decoder's dict; ``options`` go to the decoder, for instance ``mesh``."""
        tokens, valid = self.embedder(inputs)
        return self.decoder(self.backbone(tokens, valid), **options)

    def losses(self, inputs: dict) -> Dict[str, Tensor]:
        """``loss_rec`` and, with a hand model, ``loss_reg``: scalars whose sum is eq. 6.

        Raises:
            ValueError: The batch is not masked, or the decoder gives no parameters for ``loss_reg``.
        """
        self._check_masked(inputs)
        decoded = self.outputs(inputs)
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

    def predictions(self, inputs: dict) -> List[SignDataSample]:
        """Mode 'predict': one sample a clip, on the CPU."""
        # An unmasked batch has no target to show beside the prediction.
        self._check_masked(inputs)
        decoded = self.outputs(inputs)
        fields = dict(
            pred_hands=decoded['joints2d'],
            target_hands=inputs['target'],
            input_hands=inputs['hands'],
            hand_scores=inputs['hand_scores'],
            hand_valid=inputs['hand_valid'],
            chosen=inputs['chosen'],
        )
        # A mask of one's own need not give the second and third. Poses without a crop have no boxes.
        fields.update({key: inputs[key] for key in ('boxes', 'operation', 'disturbed') if key in inputs})
        # Only a decoder with a hand model gives these, and vertices on request.
        optional = ('theta', 'beta', 'rotation', 'offset', 'scale', 'joints3d', 'vertices')
        fields.update({key: decoded[key] for key in optional if key in decoded})
        return unbatch(fields, inputs)

    @staticmethod
    def _check_masked(inputs: dict) -> None:
        if 'target' not in inputs:
            raise UserValueError(
                'SignBERT: the batch is not masked (no `target`), so there is nothing to rebuild. End the '
                'pipelines of model.data_preprocessor with '
                "dict(type='MaskHandTokens'), dict(type='ZeroMissing')"
            )
