"""Signs by a few examples each: their vectors, in memory and on disk."""

import hashlib
import io
import json
import logging
import os
import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserKeyError, UserValueError
from ..evaluation.rejection import FALSE_ANSWERS, auroc, leave_one_out, threshold_at
from ..files.arrays import ArrayFileError, read_npz
from ..files.atomic import remove_leftovers, write_atomic
from ..files.json import load_json_file
from ..files.locks import turn
from ..logs import print_log

# In version 1 the encoder's fingerprint left out how clips were prepared.
FORMAT, FORMAT_VERSION = 'signbert_mm.SignDictionary', 2
INDEX = 'dictionary.json'
COMPARISONS = ('nearest', 'prototype')


class Match(NamedTuple):
    """A sign of the dictionary that matches a query.

    Attributes:
        gloss (str): The sign.
        score (float): The cosine.
        example (str): Name of its nearest example; '' for a prototype.
    """

    gloss: str
    score: float
    example: str


class SignDictionary:
    """Glosses, and unit vectors of clips that show them.

    On disk it is a folder: ``dictionary.json`` (glosses, names of the examples, how the vectors were made)
    and the npz file that it names.

    Args:
        encoder (str): Fingerprint of all that makes the vectors (:class:`ClipEmbedder`).
        dim (int): Length of a vector.
        note (str): For people: the config and checkpoint.

    Attributes:
        threshold (float, optional): Cosines up to it are no match, see :meth:`calibrate`; None = any is.
        false_answers (float, optional): For which the threshold was fitted.

    Example:
        >>> signs = SignDictionary('0123', 2)
        >>> signs.add('hello', np.array([[1.0, 0.0]]), ['clip 7'])
        >>> signs.search(np.array([[0.6, 0.8]]))[0]
        [Match(gloss='hello', score=0.6, example='clip 7')]
    """

    def __init__(self, encoder: str, dim: int, note: str = '') -> None:
        self.encoder, self.dim, self.note = encoder, dim, note
        self.threshold: Optional[float] = None
        self.false_answers: Optional[float] = None
        self._vectors: Dict[str, np.ndarray] = {}
        self._names: Dict[str, List[str]] = {}

    @property
    def glosses(self) -> List[str]:
        """All glosses, in the order in which they were added."""
        return list(self._vectors)

    def __len__(self) -> int:
        return len(self._vectors)

    def examples(self, gloss: str) -> List[str]:
        """Names of a sign's examples."""
        return list(self._names[self._check_gloss(gloss)])

    def _check_gloss(self, gloss: str) -> str:
        if gloss not in self._vectors:
            raise UserKeyError(
                f'the dictionary has no sign {gloss!r}; it has {len(self)}: {", ".join(self.glosses[:20])}'
            )
        return gloss

    def _check(self, vectors: np.ndarray, what: str) -> np.ndarray:
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.dim or not len(vectors):
            raise UserValueError(
                f'{what}: vectors of shape {vectors.shape}; give (n, {self.dim}) with n at least 1'
            )
        if not np.isfinite(vectors).all():
            raise UserValueError(f'{what}: vectors are not finite')
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def add(self, gloss: str, vectors: np.ndarray, names: Sequence[str] = ()) -> None:
        """Adds examples to a new or an existing sign.

        Args:
            gloss (str): Not empty.
            vectors (ndarray): Shape (n, dim).
            names (Sequence[str]): Of the examples, for people; n of them, or none.

        Raises:
            ValueError: The gloss is empty, or shapes are wrong.
        """
        if not isinstance(gloss, str) or not gloss.strip():
            raise UserValueError(f'gloss is {gloss!r}; give text')
        vectors = self._check(vectors, f'sign {gloss!r}')
        names = [str(name) for name in names] or [''] * len(vectors)
        if len(names) != len(vectors):
            raise UserValueError(f'sign {gloss!r}: {len(vectors)} vectors, but {len(names)} names')
        self._vectors[gloss] = (
            np.concatenate([self._vectors[gloss], vectors]) if gloss in self._vectors else vectors
        )
        self._names.setdefault(gloss, []).extend(names)

    def has(self, gloss: str, vectors: np.ndarray) -> np.ndarray:
        """Whether each of ``vectors`` (n, dim) is an example of the sign already, (n,) bool."""
        vectors = self._check(vectors, f'sign {gloss!r}')
        if gloss not in self._vectors:
            return np.zeros(len(vectors), dtype=bool)
        # Rows have length 1. The same clip in another batch differs by rounding alone.
        return (vectors @ self._vectors[gloss].T).max(axis=1) > 1 - 1e-6

    def remove(self, gloss: str) -> None:
        """Removes a sign with its examples.

        Raises:
            KeyError: The dictionary does not have it.
        """
        del self._vectors[self._check_gloss(gloss)], self._names[gloss]

    def calibrate(self, false_answers: float = FALSE_ANSWERS) -> Dict[str, float]:
        """Sets ``threshold`` from the examples alone, each taken as a query; :meth:`save` fits it again.

        Unknown signs are the examples without their whole sign, known ones those without themselves. (Not in
        the papers.)

        Args:
            false_answers (float): Share of unknown signs that may be answered.

        Returns:
            dict: ``threshold``; ``auroc`` and ``kept``, the share of known signs that are answered, where a
            sign has two examples or more.

        Raises:
            ValueError: There are fewer than two signs.
        """
        if len(self) < 2:
            raise UserValueError(
                f'the dictionary has {len(self)} signs; a threshold is fitted on two or more. Add signs first'
            )
        counts = [len(vectors) for vectors in self._vectors.values()]
        vectors, labels = np.concatenate(list(self._vectors.values())), np.repeat(range(len(counts)), counts)
        known, unknown = leave_one_out(vectors, labels)
        self.threshold, self.false_answers = threshold_at(unknown, false_answers), false_answers
        report = dict(threshold=self.threshold)
        if len(known):
            report.update(auroc=auroc(known, unknown), kept=float((known > self.threshold).mean()))
        return report

    def similarities(self, queries: np.ndarray, compare: str = 'nearest') -> Tuple[np.ndarray, np.ndarray]:
        """Cosine of each query with each sign.

        Args:
            queries (ndarray): Shape (B, dim).
            compare (str): 'nearest': with the sign's nearest example (better on the development clips of
                words33); 'prototype': with the mean of its examples.

        Returns:
            tuple[ndarray, ndarray]: Shape (B, signs) float32 in [-1, 1], and the example's index, (B, signs)
            int64; -1 for prototypes.

        Raises:
            ValueError: The dictionary is empty, or an argument is wrong.
        """
        if compare not in COMPARISONS:
            raise UserValueError(f'compare is {compare!r}; choose one of {", ".join(COMPARISONS)}')
        if not len(self):
            raise UserValueError('the dictionary is empty; add signs first')
        queries = self._check(queries, 'query')
        if compare == 'prototype':
            means = self._check(
                np.stack([vectors.mean(0) for vectors in self._vectors.values()]), 'prototypes'
            )
            return queries @ means.T, np.full((len(queries), len(self)), -1)
        # One product over all examples, then the best of each sign's.
        counts = [len(vectors) for vectors in self._vectors.values()]
        # (B, examples)
        cosine = queries @ np.concatenate(list(self._vectors.values())).T
        parts = np.split(cosine, np.cumsum(counts)[:-1], axis=1)
        return np.stack([part.max(1) for part in parts], 1), np.stack([part.argmax(1) for part in parts], 1)

    def search(self, queries: np.ndarray, topk: int = 5, compare: str = 'nearest') -> List[List[Match]]:
        """The nearest signs of each query, best first; arguments and errors as :meth:`similarities`."""
        matches = []
        for cosines, examples in zip(*self.similarities(queries, compare)):
            # A stable sort: of equal cosines the sign that was added first wins.
            order = np.argsort(-cosines, kind='stable')[:topk]
            best = [(self.glosses[sign], float(cosines[sign]), examples[sign]) for sign in order]
            matches.append(
                [
                    Match(gloss, score, self._names[gloss][example] if example >= 0 else '')
                    for gloss, score, example in best
                ]
            )
        return matches

    def save(self, folder: Union[str, 'os.PathLike[str]']) -> None:
        """Writes the folder. An older dictionary in it stays readable until it is replaced.

        Raises:
            OSError: Such as a full disk. The older dictionary is unchanged.
        """
        os.makedirs(folder, exist_ok=True)
        # One at a time: another process that saves would remove vector files that its index does not name.
        with turn(folder):
            self._save(os.fspath(folder))

    def _save(self, folder: str) -> None:
        # Examples may have come or gone since.
        if self.false_answers is not None and len(self) > 1:
            self.calibrate(self.false_answers)
        elif self.false_answers is not None:
            self.threshold = self.false_answers = None
            print_log(
                f'{folder}: a threshold needs two signs; with {len(self)} it is saved without one, so every '
                'clip gets an answer. Fit it again when there are more (calibrate, --reject)',
                logger='current',
                level=logging.WARNING,
            )
        counts = [len(vectors) for vectors in self._vectors.values()]
        vectors = (
            np.concatenate(list(self._vectors.values())) if len(self) else np.zeros((0, self.dim), np.float32)
        )
        buffer = io.BytesIO()
        np.savez(buffer, vectors=vectors, label=np.repeat(np.arange(len(self), dtype=np.int32), counts))
        data = buffer.getvalue()
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        # Named by its content, so that an older dictionary's vectors are not overwritten.
        file = f'vectors-{digest[:8]}.npz'
        path = os.path.join(folder, file)
        is_new = not os.path.isfile(path)
        write_atomic(data, path)
        index = dict(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            encoder=self.encoder,
            dim=self.dim,
            note=self.note,
            file=file,
            blake2b=digest,
            signs=[dict(gloss=gloss, examples=names) for gloss, names in self._names.items()],
        )
        if self.false_answers is not None:
            index['rejection'] = dict(threshold=self.threshold, false_answers=self.false_answers)
        # The index is replaced last: a killed writer leaves the old dictionary.
        try:
            write_atomic(
                json.dumps(index, ensure_ascii=False, indent=1).encode(), os.path.join(folder, INDEX)
            )
        except BaseException:
            if is_new:
                os.unlink(path)
            raise
        for name in os.listdir(folder):
            if re.fullmatch(r'vectors-\w+\.npz', name) and name != file:
                os.unlink(os.path.join(folder, name))
        remove_leftovers(folder, r'vectors-\w+\.npz')

    @classmethod
    def load(cls, folder: Union[str, 'os.PathLike[str]']) -> 'SignDictionary':
        """Reads a folder that :meth:`save` wrote. Nothing in it is executed.

        Raises:
            FileNotFoundError: The folder or a file of it is missing.
            ValueError: A file is damaged or has another format.
        """
        try:
            return cls._load(folder)
        except FileNotFoundError:
            # Another process may have replaced the dictionary after its index was read.
            return cls._load(folder)

    @classmethod
    def _load(cls, folder: Union[str, 'os.PathLike[str]']) -> 'SignDictionary':
        path = os.path.join(os.fspath(folder), INDEX)
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f'{path}: absent, so this is no dictionary; make one with tools/build_dictionary.py'
            )
        try:
            index = load_json_file(path)
            if index.get('format') == FORMAT and index.get('format_version') == 1:
                raise UserValueError(
                    'version 1, which does not tell how the clips of its vectors were cropped and filtered'
                )
            if index.get('format') != FORMAT or index.get('format_version') != FORMAT_VERSION:
                raise UserValueError(f'format {index.get("format")!r}, version {index.get("format_version")}')
            name = os.path.join(os.fspath(folder), os.path.basename(index['file']))
            signs = cls(index['encoder'], int(index['dim']), index['note'])
            # Absent where it was not calibrated.
            if index.get('rejection') is not None:
                signs.threshold = float(index['rejection']['threshold'])
                signs.false_answers = float(index['rejection']['false_answers'])
            glosses = [(sign['gloss'], [str(item) for item in sign['examples']]) for sign in index['signs']]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserValueError(
                f'{path}: not a dictionary of version {FORMAT_VERSION} ({error}); build it '
                'again: tools/build_dictionary.py'
            ) from error
        if not os.path.isfile(name):
            raise FileNotFoundError(f'{name}: absent; copy the dictionary again or build it again')
        with open(name, 'rb') as file:
            data = file.read()
        if hashlib.blake2b(data, digest_size=16).hexdigest() != index['blake2b']:
            raise UserValueError(
                f'{name}: {len(data)} bytes whose checksum differs from {INDEX}: damaged; copy '
                'it again or build it again'
            )
        try:
            arrays = read_npz(data)
            vectors, label = arrays['vectors'], arrays['label']
        except (ArrayFileError, KeyError) as error:
            raise UserValueError(f'{name}: damaged ({error}); copy it again or build it again') from error
        for number, (gloss, names) in enumerate(glosses):
            signs.add(gloss, vectors[label == number], names)
        return signs
