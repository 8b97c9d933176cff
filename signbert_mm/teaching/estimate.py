"""How often taught signs are right on clips that they were not taught with."""

import math
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

# Trainings of one cross-validation at most.
MAX_FOLDS = 5
# Share of the right answers that the threshold keeps.
KEEP = 0.95
_Z = 1.959964  # 97.5 % quantile of the normal distribution


class Fold(NamedTuple):
    """Clips that a model is made from, and clips that it is asked: indices."""

    train: np.ndarray
    test: np.ndarray


def wilson_interval(hits: int, asked: int) -> Tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score; (0, 1) where nothing was asked."""
    if not asked:
        return 0.0, 1.0
    share, z = hits / asked, _Z
    centre = share + z * z / (2 * asked)
    half = z * math.sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked))
    scale = 1 + z * z / asked
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def make_folds(
    labels: np.ndarray, signers: Sequence[str], most: Optional[int] = None
) -> Tuple[str, List[Fold]]:
    """Parts the clips for a cross-validation.

    Args:
        labels (ndarray): Shape (N,).
        signers (Sequence[str]): N names; '' = unknown: one further signer beside two known ones or more.
            With fewer known ones clips are parted instead.
        most (int, optional): The number of folds at most; None = one for each signer, or each clip.

    Returns:
        tuple[str, list[Fold]]: How the clips are parted, in words, and the folds.
    """
    labels = np.asarray(labels)
    names = sorted(set(signers))
    if len(names) - ('' in names) > 1:
        number = len(names) if most is None else min(most, len(names))
        part = np.array([names.index(signer) % number for signer in signers])
        how = 'signers that it was not taught with'
    else:
        number = len(labels) if most is None else min(most, len(labels))
        # The clips of a sign go to the folds in turn.
        part = np.empty(len(labels), np.int64)
        part[np.argsort(labels, kind='stable')] = np.arange(len(labels)) % number
        how = 'clips that it was not taught with, of signers that it may know'
    places = [(np.flatnonzero(part != fold), np.flatnonzero(part == fold)) for fold in range(number)]
    return how, [Fold(train, test) for train, test in places if len(train)]


@dataclass
class Estimate:
    """The answers of a cross-validation.

    Attributes:
        method (str): 'dictionary' or 'finetune'.
        how (str): Which clips were asked, in words.
        labels (ndarray): Shape (N,), the truth.
        predicted (ndarray): Shape (N,), the answer; -1 = not asked, since the others show no such sign.
        scores (ndarray): Shape (N,), of the best answer.
        others (ndarray, optional): Shape (N,), the best score where the clip's own sign was not taught;
            NaN = unknown.
    """

    method: str
    how: str
    labels: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray
    others: Optional[np.ndarray] = None

    @property
    def asked(self) -> int:
        """Number of clips that were asked."""
        return int((self.predicted >= 0).sum())

    @property
    def hits(self) -> int:
        """Number of right answers."""
        return int((self.predicted == self.labels).sum())

    @property
    def interval(self) -> Tuple[float, float]:
        """95 % interval of the share that is right."""
        return wilson_interval(self.hits, self.asked)

    @property
    def threshold(self) -> Optional[float]:
        """The score that keeps :data:`KEEP` of the right answers; None where none is right.

        Rounded down, so that an answer of the same score on another machine is kept.
        """
        right = np.sort(self.scores[self.predicted == self.labels])
        if not len(right):
            return None
        return math.floor(1e4 * float(right[int((1 - KEEP) * len(right) + 1e-9)]) - 1) / 1e4

    def confusions(self, glosses: int) -> np.ndarray:
        """Shape (glosses, glosses) int64: row = truth, column = answer, of the clips that were asked."""
        counts = np.zeros((glosses, glosses), np.int64)
        asked = self.predicted >= 0
        np.add.at(counts, (self.labels[asked], self.predicted[asked]), 1)
        return counts

    def to_dict(self) -> Dict[str, Any]:
        """Plain values, for the folder's index."""
        threshold = self.threshold
        facts: Dict[str, Any] = dict(
            method=self.method, how=self.how, hits=self.hits, asked=self.asked, interval=[*self.interval]
        )
        if threshold is None:
            return facts
        asked, right = self.predicted >= 0, self.predicted == self.labels
        facts['right_kept'] = int((self.scores[right] >= threshold).sum())
        facts['wrong_rejected'] = int((self.scores[asked & ~right] < threshold).sum())
        if self.others is not None:
            known = np.isfinite(self.others)
            facts['others_asked'] = int(known.sum())
            facts['others_rejected'] = int((self.others[known] < threshold).sum())
        return facts


def dictionary_estimate(vectors: np.ndarray, labels: np.ndarray, how: str, folds: Sequence[Fold]) -> Estimate:
    """Each clip is answered with the sign of the nearest clip of the other folds.

    Args:
        vectors (ndarray): Shape (N, D), each of length 1.
        labels (ndarray): Shape (N,).
        how (str): Of :func:`make_folds`, as ``folds``.
    """
    labels = np.asarray(labels)
    predicted = np.full(len(labels), -1)
    scores, others = np.zeros(len(labels)), np.full(len(labels), np.nan)
    for train, test in folds:
        cosine = vectors[test] @ vectors[train].T  # (test, train)
        best = cosine.argmax(1)
        known = np.isin(labels[test], labels[train])
        predicted[test] = np.where(known, labels[train][best], -1)
        scores[test] = cosine.max(1)
        foreign = np.where(labels[test][:, None] == labels[train], -np.inf, cosine).max(1)
        others[test] = np.where(np.isfinite(foreign), foreign, np.nan)
    return Estimate('dictionary', how, labels, predicted, scores, others)
