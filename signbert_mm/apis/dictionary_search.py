"""Search of signs by a few examples each."""

import itertools
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, Iterator, List, Optional, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..logs import print_log
from .backends import Backend, Prediction, in_torch
from .clips import PoseClip
from .dictionary import Match, SignDictionary
from .input import Failure, InputReader
from .rejection import NONE_OF_THESE

if TYPE_CHECKING:
    from .embedder import ClipEmbedder


class NothingReadableError(ValueError):
    """None of the inputs could be read, or none shows a hand where that is needed."""


class DictionarySearch:
    """Embeds clips and searches a dictionary for the nearest signs.

    Args:
        backend (Backend): Its model makes the vectors.
        reader (InputReader): Opens the inputs.
        dictionary (SignDictionary, optional): For :meth:`search`; also an attribute.
    """

    def __init__(
        self, backend: Backend, reader: InputReader, dictionary: Optional[SignDictionary] = None
    ) -> None:
        self.backend, self.reader, self.dictionary = backend, reader, dictionary

    @cached_property
    def embedder(self) -> 'ClipEmbedder':
        """Embeds clips with the backend's model."""
        backend = in_torch(self.backend, 'a dictionary')
        from .embedder import ClipEmbedder

        return ClipEmbedder(backend)

    @cached_property
    def _fingerprint(self) -> str:
        return self.embedder.fingerprint

    def embed(
        self, inputs: Any, batch_size: int = 64, need_hands: bool = False, **options: Any
    ) -> Tuple[np.ndarray, List[str]]:
        """Vectors (clips, D) of length 1, and the clips' names.

        Args:
            inputs: As for calling.
            batch_size (int): Clips at once.
            need_hands (bool): Leave out clips that show no hand, with a warning; meant for the examples of a
                dictionary.
            **options: As for calling.

        Raises:
            NothingReadableError: No clip is left; the message has the first reason.
        """
        vectors, names, failures, reason = [], [], [], ''
        for clip, vector in self._embedded(inputs, batch_size, **options):
            if isinstance(clip, Failure):
                failures.append(clip)
                continue
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
        self, inputs: Any, batch_size: int, **options: Any
    ) -> Iterator[Tuple[Union[PoseClip, Failure], Optional[np.ndarray]]]:
        """Clips with their vectors; failures keep their place, without one, and give a warning."""
        items = self.reader.clips(inputs, **options)
        while True:
            batch = list(itertools.islice(items, batch_size))
            if not batch:
                return
            clips = [item for item in batch if isinstance(item, PoseClip)]
            vectors = iter(self.embedder(clips) if clips else ())
            for item in batch:
                if isinstance(item, Failure):
                    print_log(f'{item.name}: left out: {item.error}', logger='current', level=logging.WARNING)
                    yield item, None
                else:
                    yield item, next(vectors)

    def check_dictionary(self, dictionary: Optional[SignDictionary] = None) -> SignDictionary:
        """Returns the dictionary, or the inferencer's own, if this model can search it.

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
                f'({signs.encoder}, not {self._fingerprint}), or its clips were sampled or prepared in '
                'another way: give its config and checkpoint, or build the dictionary again'
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
        """Finds the nearest signs of the dictionary by the cosine of embeddings. Nothing is trained.

        Args:
            inputs: As for calling.
            topk (int): Signs in the answer.
            dictionary (SignDictionary, optional): Instead of the inferencer's own.
            compare (str): 'nearest' or 'prototype', see :meth:`SignDictionary.similarities`.
            batch_size (int): Clips at once.
            **options: As for calling.

        Returns:
            list[Prediction]: One a clip: ``name``, ``glosses``, ``scores`` (cosines), ``examples`` (names of
            the nearest ones), ``num_frames``, ``hand_frames``, ``fps`` and ``reason``: '', or why there is no
            answer; the lists are then empty. A calibrated dictionary also gives ``unknown``, 1 - the best
            cosine, and ``guesses``, the nearest signs where none is near enough. Its threshold is that of
            'nearest': with 'prototype' it is not applied. A file of a folder that could not be read has only
            ``name`` and ``error``.

        Raises:
            ValueError: There is no dictionary, it is empty, or its vectors were made with another encoder or
                of clips prepared in another way.
        """
        signs = self.check_dictionary(dictionary)
        answers = []
        for clip, vector in self._embedded(inputs, batch_size, **options):
            if isinstance(clip, Failure):
                answers.append(Prediction(clip._asdict()))
                continue
            matches: List[Match] = [] if clip.no_answer else signs.search(vector[None], topk, compare)[0]
            reason, extra = clip.no_answer, {}
            if signs.threshold is not None and compare == 'nearest':
                extra = dict(unknown=1 - matches[0].score if matches else None, guesses=[])
                if matches and matches[0].score <= signs.threshold:
                    extra['guesses'] = [match.gloss for match in matches]
                    reason, matches = NONE_OF_THESE, []
            answers.append(
                Prediction(
                    name=clip.name,
                    glosses=[match.gloss for match in matches],
                    scores=[match.score for match in matches],
                    examples=[match.example for match in matches],
                    reason=reason,
                    num_frames=len(clip),
                    hand_frames=clip.hand_frames,
                    fps=clip.fps,
                    **extra,
                )
            )
        if not answers:
            raise UserValueError('none of the inputs could be read, so there is nothing to search for')
        return answers
