"""Clips as vectors."""

import hashlib
import re
from typing import Sequence

import numpy as np
import torch

from ..errors import UserValueError
from ..models.attention_pool import pool_segments
from .clips import PoseClip
from .torch_backends import TorchBackend


class ClipEmbedder:
    """Embeds a clip as one vector. Nothing is masked, and glosses need not be known to the encoder.

    A model that gives tokens has its last layer pooled, both hands together (the paper does not name a
    pooling). Another, such as ST-Consistency's, gives its ``extract_features``. Layer, hands and number of
    segments were chosen on the development clips of words33 (docs/inference.md).

    Args:
        backend (TorchBackend): Of a pre-trainer or a recogniser.
        segments (int): Number of equal parts of the clip, each averaged by itself.

    Raises:
        ValueError: The model gives no features, or ``segments`` is below 1.
    """

    def __init__(self, backend: TorchBackend, segments: int = 2) -> None:
        if not getattr(backend.model, 'gives_features', False):
            raise UserValueError(
                f'{type(backend.model).__name__} gives no features to embed a clip with: it has neither an '
                'embedder and a backbone nor extract_features; use a config of a pre-trainer or a '
                'recogniser, such as SignBERT or SignRecognizer'
            )
        if segments < 1:
            raise UserValueError(f'segments must be at least 1, got {segments}')
        self.backend, self.segments = backend, segments

    @property
    def fingerprint(self) -> str:
        """16 hex digits of all that the vectors depend on.

        That is the encoder's weights, how it reads and prepares clips, and the pooling.
        """
        digest = hashlib.blake2b(digest_size=8)
        facts = repr((self.segments, sorted(self.backend.spec._asdict().items()), self.backend.preparation))
        # Functions among the transforms print their memory address, which changes from run to run.
        digest.update(re.sub(r' at 0x\w+', '', facts).encode())
        for part in self.backend.model.encoder_parts:
            for name, value in sorted(getattr(self.backend.model, part).state_dict().items()):
                digest.update(
                    f'{part}.{name}'.encode() + value.detach().cpu().contiguous().float().numpy().tobytes()
                )
        return digest.hexdigest()

    @torch.no_grad()
    def __call__(self, clips: Sequence[PoseClip]) -> np.ndarray:
        """Embeds clips: shape (len(clips), D) float32, each of length 1."""
        inputs = self.backend.prepared(clips)
        model = self.backend.model
        if model.gives_tokens:
            vectors = pool_segments(*model.extract_tokens(inputs), inputs['length'], self.segments)
        else:
            vectors = torch.nn.functional.normalize(model.extract_features(inputs).float(), dim=-1)
        return vectors.cpu().numpy()
