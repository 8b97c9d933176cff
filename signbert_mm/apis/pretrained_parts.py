"""Reconstruction and the dictionary."""

import itertools
import logging
from functools import cached_property
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
from mmengine.logging import print_log

from ..errors import ConfigError, UserValueError
from .clip_embedder import ClipEmbedder
from .input_reader import Failure
from .pose_clip import PoseClip
from .prediction import Prediction
from .reconstructor import Reconstructor
from .sign_dictionary import Match, SignDictionary
from .torch_backend import TorchBackend


class NothingReadableError(UserValueError):
    """Not one of the inputs could be read, or shows what it is needed for."""


class PretrainedParts:
    """The part of :class:`SignInferencer` that a pre-trained model answers."""

    def _pretrainer(self, what: str) -> TorchBackend:
        if self._pretrained is None:
            raise ConfigError(
                f'{what} needs a model in torch: give `pretrained` and `pretrained_weights` '
                'beside an exported or a fused one'
            )
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
        """``joints2d``, ``joints3d``, ``valid`` and, with ``mesh``, ``vertices`` and ``faces``; see
        :class:`Reconstructor`.
        """
        found = self.reconstructor(clip, mesh)
        return dict(found, faces=self.reconstructor.faces) if mesh else found

    def reconstruct(self, inputs: Any, mesh: bool = False, **options: Any) -> Iterator[dict]:
        """3-D joints, and surfaces on demand, of each clip; arguments as for calling.

        Files of a folder that cannot be read are left out.
        """
        for clip in self._readable(inputs, **options):
            yield Prediction(name=clip.name, fps=clip.fps, **self.reconstruct_clip(clip, mesh))

    def embed(
        self, inputs: Any, batch_size: int = 64, need_hands: bool = False, **options: Any
    ) -> Tuple[np.ndarray, List[str]]:
        """Vectors (clips, D) of length 1, and the clips' names.

        Args:
            inputs: As for calling.
            batch_size (int): Clips at once.
            need_hands (bool): Leave out clips that show no hand, with a warning, as examples of a dictionary
                should.
            **options: As for calling.

        Raises:
            NothingReadableError: No clip is left; the message has the first reason.
        """
        vectors, names, failures, reason = [], [], [], ''
        for clip, vector in self._embedded(inputs, batch_size, failures, **options):
            if need_hands and clip.no_answer:
                reason = f'{clip.name}: {clip.no_answer}'
                print_log(f'left out: {reason}', logger='current', level=logging.WARNING)
                continue
            vectors.append(vector)
            names.append(clip.name)
        if not vectors:
            first = f', the first: {failures[0].error}' if failures else ''
            what = f'shows a hand ({reason})' if reason else 'could be read'
            raise NothingReadableError(f'none of the inputs {what}, so there is nothing to embed{first}')
        return np.stack(vectors), names

    def _embedded(
        self, inputs: Any, batch_size: int, failures: Optional[List[Failure]] = None, **options: Any
    ) -> Iterator[Tuple[PoseClip, np.ndarray]]:
        clips = self._readable(inputs, failures, **options)
        while True:
            batch = list(itertools.islice(clips, batch_size))
            if not batch:
                return
            yield from zip(batch, self.embedder(batch))

    def check_dictionary(self, dictionary: Optional[SignDictionary] = None) -> SignDictionary:
        """The dictionary, or the inferencer's own, where this model can search it.

        Raises:
            ValueError: There is none, or its vectors were made with another encoder or of clips prepared in
                another way.
        """
        signs = self.dictionary if dictionary is None else dictionary
        if signs is None:
            raise UserValueError(
                'there is no dictionary: give dictionary=, a folder of tools/build_dictionary.py'
            )
        if signs.encoder != self._fingerprint:
            raise UserValueError(
                f'the dictionary was made with another encoder ({signs.note or "no note"}) than this one '
                f'({signs.encoder}, not '
                f'{self._fingerprint}), or its clips were sampled or prepared in another way: give its '
                'config and checkpoint, or '
                'build the dictionary again'
            )
        return signs

    def search(
        self,
        inputs: Any,
        topk: int = 5,
        dictionary: Optional[SignDictionary] = None,
        compare: str = 'nearest',
        batch_size: int = 64,
        **options: Any,
    ) -> List[Prediction]:
        """The nearest signs of the dictionary, by the cosine of embeddings; nothing is trained.

        Args:
            inputs: As for calling.
            topk (int): Signs in the answer.
            dictionary (SignDictionary, optional): Instead of the inferencer's own.
            compare (str): 'nearest' or 'prototype', see :meth:`SignDictionary.similarities`.
            batch_size (int): Clips at once.
            **options: As for calling.

        Returns:
            list[Prediction]: One a clip: ``name``, ``glosses``, ``scores`` (cosines), ``examples`` (names of
            the nearest ones), ``hand_frames`` and ``reason``: '', or why there is no answer, and the lists
            are then empty.

        Raises:
            ValueError: There is no dictionary, it is empty, or its vectors were made with another encoder or
                of clips prepared in another way.
        """
        signs = self.check_dictionary(dictionary)
        answers = []
        for clip, vector in self._embedded(inputs, batch_size, **options):
            matches: List[Match] = [] if clip.no_answer else signs.search(vector[None], topk, compare)[0]
            answers.append(
                Prediction(
                    name=clip.name,
                    glosses=[match.gloss for match in matches],
                    scores=[match.score for match in matches],
                    examples=[match.example for match in matches],
                    reason=clip.no_answer,
                    num_frames=len(clip),
                    hand_frames=clip.hand_frames,
                    fps=clip.fps,
                )
            )
        if not answers:
            raise UserValueError('none of the inputs could be read, so there is nothing to search for')
        return answers

    def _readable(
        self, inputs: Any, failures: Optional[List[Failure]] = None, **options: Any
    ) -> Iterator[PoseClip]:
        for clip in self.reader.clips(inputs, **options):
            if isinstance(clip, Failure):
                if failures is not None:
                    failures.append(clip)
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
            else:
                yield clip
