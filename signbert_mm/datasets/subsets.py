"""Subsets of a data set that depend on a seed and nothing else."""

from typing import Sequence

import numpy as np


def few_shot_indices(labels: np.ndarray, indices: np.ndarray, classes: Sequence[int], shots: int, seed: int) -> np.ndarray:
    """k clips of each class.

    One generator serves all classes: ``r = np.random.RandomState(seed)``; for each class in order ``r.permutation(its indices, ascending)[:shots]``.
    A class with fewer clips gives all it has.

    Args:
        labels (ndarray): Shape (N,), every clip's label.
        indices (ndarray): Shape (M,), the clips to draw from.
        classes (Sequence[int]): Labels, in the order of the draw.
        shots (int): k, at least 1.
        seed (int): Of the draw.

    Returns:
        ndarray: Shape (<= len(classes) * shots,) int64, ascending.

    Raises:
        ValueError: ``shots`` is below 1.
    """
    if shots < 1:
        raise ValueError(f'few_shot: shots must be at least 1, got {shots}')
    random = np.random.RandomState(seed)
    indices = np.sort(indices)
    # a stable sort groups the clips by class and keeps them ascending within
    order = np.argsort(labels[indices], kind='stable')
    grouped = labels[indices][order]
    begins, ends = np.searchsorted(grouped, classes, side='left'), np.searchsorted(grouped, classes, side='right')
    picked = [random.permutation(indices[order[begin:end]])[:shots] for begin, end in zip(begins, ends)]
    return np.sort(np.concatenate(picked)) if picked else indices[:0]


def data_ratio_indices(labels: np.ndarray, indices: np.ndarray, ratio: float, seed: int) -> np.ndarray:
    """A share of the clips, the same share of each class up to one clip, in all exactly ``floor(ratio M + 1/2)``.

    For one seed the subsets are nested: 25 % lies within 50 % within 75 %. Each class is shuffled and its clips laid out evenly over [0, 1) from a
    random start; those that come first are taken. (Table 7 of SignBERT uses 25 to 100 %; which clips is not given in the paper.)

    Args:
        labels (ndarray): Shape (N,), every clip's label; -1 counts as a class.
        indices (ndarray): Shape (M,), the clips to draw from.
        ratio (float): In (0, 1].
        seed (int): Of the draw.

    Returns:
        ndarray: int64, ascending; never empty.

    Raises:
        ValueError: ``ratio`` is outside (0, 1].
    """
    if not 0 < ratio <= 1:
        raise ValueError(f'data_ratio: ratio must lie in (0, 1], got {ratio} (for 0 % leave pre-training out)')
    random = np.random.RandomState(seed)
    shuffled = random.permutation(np.sort(indices))
    order = np.argsort(labels[shuffled], kind='stable')
    shuffled = shuffled[order]
    _, begins, sizes = np.unique(labels[shuffled], return_index=True, return_counts=True)
    rank = np.arange(len(shuffled)) - np.repeat(begins, sizes)
    place = (rank + np.repeat(random.uniform(size=len(sizes)), sizes)) / np.repeat(sizes, sizes)
    count = max(1, int(np.floor(ratio * len(shuffled) + 0.5)))
    return np.sort(shuffled[np.argsort(place, kind='stable')[:count]])
