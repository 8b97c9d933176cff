"""Reconstruction and the dictionary."""

import logging
from functools import cached_property
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
from mmengine.logging import print_log

from ..engine.runner import ConfigError
from .clip_embedder import ClipEmbedder
from .input_reader import Failure
from .pose_clip import PoseClip
from .reconstructor import Reconstructor
from .sign_dictionary import Match, SignDictionary
from .torch_backend import TorchBackend


class NothingReadableError(ValueError):
    """Not one of the inputs could be read."""


class PretrainedParts:
    """The part of :class:`SignInferencer` that a pre-trained model answers."""

    def _pretrainer(self, what: str) -> TorchBackend:
        if self._pretrained is None:
            raise ConfigError(f'{what} needs a model in torch: give `pretrained` and `pretrained_weights` beside an exported or a fused one')
        return self._pretrained

    @cached_property
    def reconstructor(self) -> Reconstructor:
        """Rebuilds hands; needs a pre-training with a hand model."""
        return Reconstructor(self._pretrainer('reconstruction'))

    @cached_property
    def embedder(self) -> ClipEmbedder:
        """Embeds clips, with the pre-trained model where one was given."""
        return ClipEmbedder(self._pretrainer('a dictionary'))

    @cached_property
    def _fingerprint(self) -> str:
        return self.embedder.fingerprint

    def reconstruct_clip(self, clip: PoseClip, mesh: bool = False) -> Dict[str, np.ndarray]:
        """``joints2d``, ``joints3d``, ``valid`` and, with ``mesh``, ``vertices`` and ``faces``; see :class:`Reconstructor`."""
        found = self.reconstructor(clip, mesh)
        return dict(found, faces=self.reconstructor.faces) if mesh else found

    def reconstruct(self, inputs: Any, mesh: bool = False, **options: Any) -> Iterator[dict]:
        """3-D joints, and surfaces on demand, of each clip; arguments as for calling. Files of a folder that cannot be read are left out."""
        for clip in self._readable(inputs, **options):
            yield dict(name=clip.name, fps=clip.fps, **self.reconstruct_clip(clip, mesh))

    def embed(self, inputs: Any, batch_size: int = 64, **options: Any) -> Tuple[np.ndarray, List[str]]:
        """Vectors (clips, D) of length 1, and the clips' names.

        Raises:
            NothingReadableError: Not one of the inputs could be read; the message has the first reason.
        """
        vectors, names, waiting = [], [], []
        failures: List[Failure] = []
        for clip in self._readable(inputs, failures, **options):
            waiting.append(clip)
            if len(waiting) == batch_size:
                vectors.append(self.embedder(waiting))
                waiting = []
            names.append(clip.name)
        if waiting:
            vectors.append(self.embedder(waiting))
        if not vectors:
            reason = f', the first: {failures[0].error}' if failures else ''
            raise NothingReadableError(f'none of the inputs could be read, so there is nothing to embed{reason}')
        return np.concatenate(vectors), names

    def search(
        self,
        inputs: Any,
        topk: int = 5,
        dictionary: Optional[SignDictionary] = None,
        compare: str = 'nearest',
        batch_size: int = 64,
        **options: Any,
    ) -> List[Dict[str, Any]]:
        """The nearest signs of the dictionary, by the cosine of embeddings; nothing is trained.

        Args:
            inputs: As for calling.
            topk (int): Signs in the answer.
            dictionary (SignDictionary, optional): Instead of the inferencer's own.
            compare (str): 'nearest' or 'prototype', see :meth:`SignDictionary.similarities`.
            batch_size (int): Clips at once.
            **options: As for calling.

        Returns:
            list[dict]: One a clip: ``name``, ``glosses``, ``scores`` (cosines), ``examples`` (names of the nearest ones).

        Raises:
            ValueError: There is no dictionary, it is empty, or its vectors were made with another encoder or of clips prepared in another way.
        """
        signs = self.dictionary if dictionary is None else dictionary
        if signs is None:
            raise ValueError('there is no dictionary: give dictionary=, a folder of tools/build_dictionary.py')
        if signs.encoder != self._fingerprint:
            raise ValueError(
                f'the dictionary was made with another encoder ({signs.encoder}: {signs.note or "no note"}) than this one ({self._fingerprint}), or '
                'its clips were sampled or prepared in another way: give its config and checkpoint, or build the dictionary again'
            )
        vectors, names = self.embed(inputs, batch_size, **options)
        rows: List[List[Match]] = signs.search(vectors, topk, compare)
        keys = dict(glosses='gloss', scores='score', examples='example')
        return [dict(name=name, **{key: [getattr(match, field) for match in row] for key, field in keys.items()}) for name, row in zip(names, rows)]

    def _readable(self, inputs: Any, failures: Optional[List[Failure]] = None, **options: Any) -> Iterator[PoseClip]:
        for clip in self.reader.clips(inputs, **options):
            if isinstance(clip, Failure):
                if failures is not None:
                    failures.append(clip)
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
            else:
                yield clip
