"""A clip as one vector, from an encoder that nobody trained on its gloss."""

import hashlib
import re
from typing import Sequence

import numpy as np
import torch

from ..errors import UserValueError
from ..models.attention_pool import pool_segments
from .pose_clip import PoseClip
from .torch_backend import TorchBackend


class ClipEmbedder:
    """Embeds clips with a model's embedder and Transformer; nothing is masked.

    Pooling is not given in the paper.

    A model of other parts, as ST-Consistency's, is asked for its own ``extract_features``.

    Chosen on the development clips of words33 (docs/inference.md): the last layer rather than earlier ones or
    the decoder's parameters, two parts of the clip rather than one, three or four, both hands together.

    Args:
        backend (TorchBackend): Of a pre-trainer or a recogniser.
        segments (int): Parts of the clip that are averaged apart.

    Raises:
        ValueError: The model has no embedder and Transformer of this project, or ``segments`` is below 1.
    """

    def __init__(self, backend: TorchBackend, segments: int = 2) -> None:
        model = backend.model
        self.parts = [name for name in ('embedder', 'backbone', 'encoders') if hasattr(model, name)]
        if not (hasattr(model, 'extract_features') or {'embedder', 'backbone'} <= set(self.parts)):
            raise UserValueError(
                f'{type(model).__name__} has no embedder and backbone to embed a clip with; use '
                'a SignBERT or SignRecognizer config'
            )
        if segments < 1:
            raise UserValueError(f'segments must be at least 1, got {segments}')
        self.backend, self.segments = backend, segments

    @property
    def fingerprint(self) -> str:
        """16 hex digits of what the vectors depend on: the encoder's weights, how it reads and prepares
        clips, the pooling.
        """
        digest = hashlib.blake2b(digest_size=8)
        facts = repr((self.segments, sorted(self.backend.spec._asdict().items()), self.backend.preparation))
        digest.update(re.sub(r' at 0x\w+', '', facts).encode())  # addresses of functions among the transforms
        for part in self.parts:
            for name, value in sorted(getattr(self.backend.model, part).state_dict().items()):
                digest.update(
                    f'{part}.{name}'.encode() + value.detach().cpu().contiguous().float().numpy().tobytes()
                )
        return digest.hexdigest()

    @torch.no_grad()
    def __call__(self, clips: Sequence[PoseClip]) -> np.ndarray:
        """Shape (len(clips), D) float32, each of length 1."""
        inputs = self.backend.prepared(clips)
        model = self.backend.model
        if not {'embedder', 'backbone'} <= set(self.parts):
            return torch.nn.functional.normalize(model.extract_features(inputs).float(), dim=-1).cpu().numpy()
        tokens, valid = model.embedder(inputs)
        return (
            pool_segments(model.backbone(tokens, valid), valid, inputs['length'], self.segments).cpu().numpy()
        )
