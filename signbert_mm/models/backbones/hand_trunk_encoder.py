"""One vector for the hands and one for the trunk of a clip (ST-Consistency)."""

from typing import Dict, Optional, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...names import as_names
from ...registry import MODELS
from ..attention_pool import add_first_where_none, attention_pool
from ..token_batch_norm import set_sync

PARTS = ('hand', 'trunk')
HAND_LAYOUTS = ('channel', 'sequence')


@MODELS.register_module()
class HandTrunkEncoder(BaseModule):
    """A stream for the hands and one for the trunk: GCN, temporal blocks, Transformer, attention pooling.

    Both hands share the GCN and the temporal blocks. There is no position code. In the 'sequence' layout a
    learned vector says which hand a token is, as in SignBERT; the authors have the 'channel' layout only. All
    but the inputs is described in the authors' code alone.

    Args:
        hand_embedder (dict): :class:`TemporalGCNEmbedder` of a hand; a config of ``MODELS`` like all that
            follow.
        trunk_embedder (dict): That of the trunk.
        hand_backbone (dict): :class:`HandTransformer` over the hands' tokens. Its width is that of
            ``hand_embedder``, and twice that in the 'channel' layout.
        trunk_backbone (dict): That over the trunk's tokens.
        parts (Sequence[str]): Which of 'hand' and 'trunk' to build and to return. The configs of the other
            are not read.
        hand_layout (str): 'channel': both hands of a frame side by side are one token. 'sequence': each hand
            is a token.
        masked (bool): Batch norm leaves missing hands out, and the temporal blocks read 0 for them. False:
            they count as they are, as zeros or the motion of zeros (the authors' code). Padding frames are
            left out in both cases.
        attend_missing (bool): Attention sees the tokens of missing hands (in the 'channel' layout, of frames
            without any hand). Pooling never does.
        hands_apart (bool): In training, batch norm takes right hands and left hands as two batches (the
            authors' code), not as one.
        sync_norm (bool): The statistics of batch norm are those of all processes.

    ``out_channels`` is the width of both vectors.

    Raises:
        ValueError: An option is not one of those named, or a backbone's width does not fit.
    """

    def __init__(
        self,
        hand_embedder: Optional[dict] = None,
        trunk_embedder: Optional[dict] = None,
        hand_backbone: Optional[dict] = None,
        trunk_backbone: Optional[dict] = None,
        parts: Sequence[str] = PARTS,
        hand_layout: str = 'channel',
        masked: bool = True,
        attend_missing: bool = False,
        hands_apart: bool = False,
        sync_norm: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        parts = as_names(parts)
        if not parts or set(parts) - set(PARTS) or len(set(parts)) != len(parts):
            raise UserValueError(f'HandTrunkEncoder: parts must be some of {PARTS}, each once, got {parts}')
        if hand_layout not in HAND_LAYOUTS:
            raise UserValueError(
                f'HandTrunkEncoder: hand_layout must be one of {HAND_LAYOUTS}, got {hand_layout!r}'
            )
        given = dict(hand=(hand_embedder, hand_backbone), trunk=(trunk_embedder, trunk_backbone))
        self.parts, self.hand_layout = parts, hand_layout
        self.masked, self.attend_missing, self.hands_apart = masked, attend_missing, hands_apart
        self.embedders, self.backbones, self.scorers = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        widths = {}
        for part in PARTS:
            if part not in self.parts:
                continue
            embedder, backbone = given[part]
            if embedder is None or backbone is None:
                raise UserValueError(
                    f'HandTrunkEncoder: parts names {part!r}, so {part}_embedder and '
                    f'{part}_backbone are needed'
                )
            self.embedders[part], self.backbones[part] = MODELS.build(embedder), MODELS.build(backbone)
            widths[part] = width = self.embedders[part].out_channels
            wanted = 2 * width if part == 'hand' and hand_layout == 'channel' else width
            if self.backbones[part].embed_dims != wanted:
                raise UserValueError(
                    f'HandTrunkEncoder: {part}_embedder gives {width} channels'
                    + (f', so with hand_layout={hand_layout!r}' if part == 'hand' else ', so')
                    + f' {part}_backbone.embed_dims must be {wanted}, got {self.backbones[part].embed_dims}'
                )
            # No bias: a shift of all scores does not change the softmax.
            self.scorers[part] = nn.Linear(width, 1, bias=False)
        if len(set(widths.values())) > 1:
            raise UserValueError(
                'HandTrunkEncoder: hand and trunk are added up, so their embedders must be of '
                f'one width, got {widths}'
            )
        self.out_channels = next(iter(widths.values()))
        set_sync(self, sync_norm)
        self.chirality = (
            nn.Parameter(0.02 * torch.randn(2, self.out_channels))
            if 'hand' in self.parts and hand_layout == 'sequence'
            else None
        )

    def forward(
        self,
        hands: Tensor,
        trunk: Tensor,
        hand_valid: Tensor,
        frame_valid: Tensor,
        trunk_valid: Optional[Tensor] = None,
        attention: bool = False,
    ) -> Dict[str, Tensor]:
        """Vectors of hands and trunk.

        Args:
            hands (Tensor): Shape (B, T, 2, 21, 2), crop coordinates or their motion, left hand mirrored;
                (0, 0) = missing joint.
            trunk (Tensor): Shape (B, T, 7, 2), fractions of the image or their motion; (0, 0) = missing
                joint.
            hand_valid (Tensor): Shape (B, T, 2) bool: the hand was detected. With ``masked``, the values of
                the others are not read.
            frame_valid (Tensor): Shape (B, T) bool: the frame is not padding. At least one a clip.
            trunk_valid (Tensor, optional): Shape (B, T) bool: the frame shows the trunk; None = all do.
            attention (bool): Also return the pooling weights.

        Returns:
            dict: ``hand`` and ``trunk`` (B, out_channels), those in ``parts``; each is 0 in a clip that never
                shows the part. With ``attention`` also ``hand_attention`` (B, T, 2) and ``trunk_attention``
                (B, T, 1). They sum to 1 over a clip, or to 0 where it never shows the part.
        """
        # (B, T, 1)
        frames = frame_valid[..., None]
        valid = dict(
            hand=hand_valid & frames, trunk=frames if trunk_valid is None else trunk_valid[..., None] & frames
        )
        points = dict(hand=hands, trunk=trunk[:, :, None])
        out = {}
        for part in self.parts:
            tokens = self._tokens(part, points[part], valid[part], frames)
            pooled, weights = attention_pool(self.scorers[part](tokens).squeeze(-1), tokens, valid[part])
            out[part] = pooled
            if attention:
                out[f'{part}_attention'] = weights
        return out

    def _tokens(self, part: str, points: Tensor, valid: Tensor, frames: Tensor) -> Tensor:
        """Contextualised tokens (B, T, H, C) of hands (H = 2) or trunk (H = 1).

        Args:
            part (str): 'hand' or 'trunk'.
            points (Tensor): Shape (B, T, H, V, 2).
            valid (Tensor): Shape (B, T, H) bool: detected.
            frames (Tensor): Shape (B, T, 1) bool: not padding.
        """
        frames = frames.expand_as(valid)
        counted = valid if self.masked else frames
        points = points.masked_fill(~counted[..., None, None], 0.0)
        if self.hands_apart and part == 'hand':
            right, left = (self.embedders[part](points[:, :, hand], counted[:, :, hand]) for hand in (1, 0))
            tokens = torch.stack([left, right], dim=2)
        else:
            # Hands become rows of the batch, with shared weights and statistics: (B H, T, V, 2).
            tokens = self.embedders[part](
                points.transpose(1, 2).flatten(0, 1), counted.transpose(1, 2).flatten(0, 1)
            )
            # (B, T, H, C)
            tokens = tokens.unflatten(0, (-1, points.shape[2])).transpose(1, 2)
        seen = frames if self.attend_missing else valid
        if part == 'hand' and self.hand_layout == 'channel':
            # One token of both hands a frame: (B, T, 1, 2 C).
            hidden = self.backbones[part](
                tokens.flatten(2)[:, :, None], add_first_where_none(seen.any(-1, keepdim=True))
            )
            return hidden.reshape(tokens.shape)
        if part == 'hand':
            tokens = tokens + self.chirality
        # Attention needs a token in every clip. Pooling leaves the added one out again.
        return self.backbones[part](tokens, add_first_where_none(seen))
