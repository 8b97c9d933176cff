"""Tokens of both hands: gesture state + time + chirality (SignBERT section 3.1)."""

import inspect
import math
from typing import Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...errors import UserValueError
from ...registry import MODELS


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
    """A gesture encoder, of a hand or of the trunk in one frame; every method takes the same ones.

    It is called with ``points`` (..., V, 2), 0 = missing or masked, and ``valid`` (...) bool, which of them
    count in its statistics; it gives vectors (..., C) and states C as ``out_channels``. What it gives where
    ``valid`` says no does not matter.

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
    """One token a hand and frame: gesture state + sinusoidal time (the same for both hands) + learned 'L' or
    'R' vector (eq. 1's input).

    A clip in which no hand was found gets one learned null token in place of its first, so that attention and
    pooling stay finite (not in the paper).

    Args:
        gesture (dict): The gesture encoder, see :func:`build_gesture`; its ``out_channels`` is the token
            width.
        max_frames (int): Longest clip.
        location (bool): Add a linear map of where the hand is in the image and how large (``location``: x, y,
            side). The crop takes this away from the joints. The paper does not say that it is given back,
            hence off by default.
    """

    def __init__(
        self, gesture: dict, max_frames: int = 512, location: bool = False, init_cfg: Optional[dict] = None
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

    @property
    def max_frames(self) -> int:
        """The longest clip."""
        return len(self.time)

    def forward(self, batch: dict) -> Tuple[Tensor, Tensor]:
        """Tokens of a batch.

        Args:
            batch (dict): ``hands`` (B, T, 2, 21, 2), ``hand_valid`` (B, T, 2) bool and, with ``location``,
                ``location`` (B, T, 2, 3).

        Returns:
            tuple[Tensor, Tensor]: Tokens (B, T, 2, C), and which of them attention and pooling may see (B, T,
            2) bool: at least one a clip.

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
        # a hand of which nothing is known, masked as a whole, has no gesture and does not count in batch norm
        known = valid & (hands != 0).flatten(-2).any(-1)
        tokens = self.gesture(hands, known)  # (B, T, 2, C)
        if self.location is not None:
            # centred, so that the weights need not first learn the bias away
            tokens = tokens + self.location(batch['location'] - 0.5)
        tokens = tokens + self.time[:frames, None] + self.chirality
        empty = ~valid.flatten(1).any(1)  # (B,)
        first = torch.arange(valid[0].numel(), device=valid.device).view_as(valid[0]) == 0
        stands_in = empty[:, None, None] & first  # (B, T, 2)
        # cast both ways: under autocast the sum may be of either type
        tokens = torch.where(stands_in[..., None], self.null.to(tokens.dtype), tokens)
        return tokens, valid | stands_in
