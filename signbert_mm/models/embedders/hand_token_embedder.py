"""Tokens of both hands: gesture state + time + chirality (SignBERT section 3.1)."""

import inspect
import math
from typing import Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS
from ..attention_pool import add_first_where_none
from .hand_motion import HandMotion


def sinusoidal_embedding(length: int, channels: int, base: float = 10000.0) -> Tensor:
    """The sinusoidal position code of "Attention Is All You Need", section 3.5.

    Returns:
        Tensor: Shape (length, channels); even channels sine, odd ones cosine.
    """
    position = torch.arange(length, dtype=torch.float32)[:, None]
    frequency = torch.exp(torch.arange(0, channels, 2, dtype=torch.float32) * (-math.log(base) / channels))
    code = torch.zeros(length, channels)
    code[:, 0::2] = torch.sin(position * frequency)
    code[:, 1::2] = torch.cos(position * frequency[: channels // 2])
    return code


def build_gesture(config: dict) -> nn.Module:
    """Builds a gesture encoder for a hand or the trunk in one frame; every method uses the same ones.

    It is called with ``points`` (..., V, 2), 0 = missing or masked, and with ``valid`` (...) bool, which says
    which of them count in its statistics. It returns vectors (..., C), and its ``out_channels`` is C. Vectors
    where ``valid`` is False are not used.

    Args:
        config (dict): A config of ``MODELS``.

    Raises:
        ValueError: Its ``forward`` takes no ``valid``, or it states no ``out_channels``.
    """
    gesture = MODELS.build(config)
    try:
        inspect.signature(gesture.forward).bind(None, None)
    except TypeError:
        raise UserValueError(
            f'{type(gesture).__name__}: a gesture encoder is called as forward(points, valid); give its '
            'forward a second argument, valid (...) bool: which hands count in its statistics'
        ) from None
    if not hasattr(gesture, 'out_channels'):
        raise UserValueError(f'{type(gesture).__name__}: a gesture encoder states its width as out_channels')
    return gesture


@MODELS.register_module()
class HandTokenEmbedder(BaseModule):
    """One token for each hand and frame: gesture state + time + chirality (the input of eq. 1).

    Time is a sinusoidal code, the same for both hands. Chirality is one of two learned vectors, left or
    right. In a clip without any hand a learned null token replaces the first token, so that attention and
    pooling stay finite (not in the paper).

    Args:
        gesture (dict): The gesture encoder, see :func:`build_gesture`; its ``out_channels`` is the token
            width.
        max_frames (int): Longest clip.
        location (bool): Add a linear map of the hand's place and size in the image (``location``: x, y,
            side). Cropping removes these from the joints. Off by default, since the paper has no such term.
        motion (bool): Add how the hand moves, see :class:`HandMotion`. Off by default, likewise.
    """

    def __init__(
        self,
        gesture: dict,
        max_frames: int = 512,
        location: bool = False,
        motion: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        self.gesture = build_gesture(gesture)
        self.out_channels = width = self.gesture.out_channels
        self.register_buffer('time', sinusoidal_embedding(max_frames, width), persistent=False)
        self.chirality = nn.Parameter(torch.empty(2, width))
        self.null = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.chirality, std=0.02)
        nn.init.normal_(self.null, std=0.02)
        self.location = nn.Linear(3, width) if location else None
        self.motion = HandMotion(width) if motion else None

    @property
    def max_frames(self) -> int:
        """The longest clip."""
        return len(self.time)

    def forward(self, batch: dict) -> Tuple[Tensor, Tensor]:
        """Tokens of a batch.

        Args:
            batch (dict): ``hands`` (B, T, 2, 21, 2), ``hand_valid`` (B, T, 2) bool and, with ``location`` or
                ``motion``, ``location`` (B, T, 2, 3).

        Returns:
            tuple[Tensor, Tensor]: Tokens (B, T, 2, C), and which of them attention and pooling may see:
            (B, T, 2) bool, at least one a clip.

        Raises:
            ValueError: The clip is longer than ``max_frames``, or the batch is not cropped.
        """
        if 'hands' not in batch:
            raise UserValueError(
                'HandTokenEmbedder: the batch has no `hands`. The pipelines of model.data_preprocessor need '
                "dict(type='HandCrop', layout=<that of the data set>), dict(type='MirrorLeftHand') and, at "
                "the end, dict(type='ZeroMissing')"
            )
        hands, valid = batch['hands'], batch['hand_valid']
        frames = hands.shape[1]
        if frames > len(self.time):
            raise UserValueError(
                f'HandTokenEmbedder: clips of {frames} frames, but max_frames is {len(self.time)}'
            )
        # A hand that is masked as a whole has no gesture, so batch norm must not count it.
        known = valid & (hands != 0).flatten(-2).any(-1)
        # (B, T, 2, C)
        tokens = self.gesture(hands, known)
        if self.location is not None:
            # Centred, so that training does not first have to learn the offset.
            tokens = tokens + self.location(batch['location'] - 0.5)
        if self.motion is not None:
            tokens = tokens + self.motion(hands, batch['location'], valid)
        tokens = tokens + self.time[:frames, None] + self.chirality
        # The first token of each clip without a hand: (B, T, 2).
        is_null = add_first_where_none(valid) & ~valid
        # Under autocast the sum may be of either type.
        tokens = torch.where(is_null[..., None], self.null.to(tokens.dtype), tokens)
        return tokens, valid | is_null
