"""Finds where signs begin and end in a clip of many signs."""

from typing import Any, List, NamedTuple

import numpy as np
import torch

from ..errors import ConfigError
from .backends import Backend
from .clips import PoseClip
from .torch_backends import TorchBackend


class SignSpan(NamedTuple):
    """A sign in time, in seconds from the clip's first frame; ``score`` in [0, 1], see :class:`FoundSign`."""

    start: float
    end: float
    score: float


class Segmenter:
    """Runs a model that finds signs, such as :class:`SignSegmenter`, on clips of any length and rate.

    Args:
        backend (Backend): Of a model with ``finds_signs``, whose checkpoint tells the frame rate that it was
            trained at.

    Raises:
        ConfigError: The model finds no signs in time, or its checkpoint has no frame rate.
    """

    def __init__(self, backend: Backend) -> None:
        model: Any = getattr(backend, 'model', None)
        if not isinstance(backend, TorchBackend) or not getattr(model, 'finds_signs', False):
            raise ConfigError(
                f'segmenter: {type(model or backend).__name__} finds no signs in time; give config and '
                'checkpoint of a SignSegmenter (configs/segmentation/)'
            )
        if not backend.spec.fps:
            raise ConfigError(
                'segmenter: its checkpoint does not tell the frame rate that it was trained at (meta fps); '
                'train it on SplicedSigns'
            )
        self.backend, self.fps = backend, float(backend.spec.fps)

    @torch.no_grad()
    def find(self, clip: PoseClip) -> List[SignSpan]:
        """Signs in order of time; they never overlap.

        Args:
            clip (PoseClip): With ``fps`` or ``times``; frames are repeated or left out to get the model's
                rate.
        """
        times = clip.seconds
        # The last frame lasts as long as the others.
        duration = float(times[-1]) + 1 / (clip.fps or self.fps)
        moments = (np.arange(max(1, round(duration * self.fps))) + 0.5) / self.fps
        # The frame that is seen at that moment.
        frames = (np.searchsorted(times, moments, side='right') - 1).clip(0, len(clip) - 1)
        inputs = self.backend.prepared([clip.pick(frames)], every_frame=True)
        (sample,) = self.backend.model(inputs, mode='predict')
        return [
            SignSpan(start / self.fps, min(end / self.fps, duration), score)
            for start, end, score in sample.segments.tolist()
        ]
