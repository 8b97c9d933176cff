"""Subsets of a data set that depend on a seed and nothing else."""

from typing import Optional, Sequence

import numpy as np

from ..errors import UserValueError


def few_shot_indices(
    labels: np.ndarray, indices: np.ndarray, classes: Sequence[int], shots: int, seed: int
) -> np.ndarray:
    """k clips of each class.

    One generator serves all classes: ``r = np.random.RandomState(seed)``; for each class in order
    ``r.permutation(its indices, ascending)[:shots]``. A class with fewer clips gives all it has.

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
        raise UserValueError(f'few_shot: shots must be at least 1, got {shots}')
    random = np.random.RandomState(seed)
    indices = np.sort(indices)
    # a stable sort groups the clips by class and keeps them ascending within
    order = np.argsort(labels[indices], kind='stable')
    grouped = labels[indices][order]
    begins, ends = (
        np.searchsorted(grouped, classes, side='left'),
        np.searchsorted(grouped, classes, side='right'),
    )
    picked = [random.permutation(indices[order[begin:end]])[:shots] for begin, end in zip(begins, ends)]
    return np.sort(np.concatenate(picked)) if picked else indices[:0]


def data_ratio_indices(labels: np.ndarray, indices: np.ndarray, ratio: float, seed: int) -> np.ndarray:
    """A share of the clips, the same share of each class up to one clip, in all exactly ``floor(ratio M +
    1/2)``.

    For one seed the subsets are nested: 25 % lies within 50 % within 75 %. Each class is shuffled and its
    clips laid out evenly over [0, 1) from a random start; those that come first are taken. (Table 7 of
    SignBERT uses 25 to 100 %; which clips is not given in the paper.)

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
        raise UserValueError(
            f'data_ratio: ratio must lie in (0, 1], got {ratio} (for 0 % leave pre-training out)'
        )
    random = np.random.RandomState(seed)
    shuffled = random.permutation(np.sort(indices))
    order = np.argsort(labels[shuffled], kind='stable')
    shuffled = shuffled[order]
    _, begins, sizes = np.unique(labels[shuffled], return_index=True, return_counts=True)
    rank = np.arange(len(shuffled)) - np.repeat(begins, sizes)
    place = (rank + np.repeat(random.uniform(size=len(sizes)), sizes)) / np.repeat(sizes, sizes)
    count = max(1, int(np.floor(ratio * len(shuffled) + 0.5)))
    return np.sort(shuffled[np.argsort(place, kind='stable')[:count]])


def hold_out_indices(
    labels: np.ndarray,
    signers: np.ndarray,
    indices: np.ndarray,
    part: str,
    share: Optional[float] = None,
    names: Optional[Sequence[str]] = None,
    by: str = 'signer',
    seed: int = 0,
) -> np.ndarray:
    """What is trained on, or what is held out of it to choose settings by, where a data set has no validation
    split.

    Args:
        labels (ndarray): Shape (N,), every clip's label.
        signers (ndarray): Shape (N,), every clip's signer, '' = unknown.
        indices (ndarray): Shape (M,), the clips to divide, as a rule those of 'train'.
        part (str): 'train' or 'val'; with the same other options they have no clip in common and together are
            all.
        share (float, optional): Of the signers (in ``RandomState(seed).permutation`` of their sorted names
            the first; at least one, never all) or of the clips (:func:`data_ratio_indices`, the same share of
            each class), in (0, 1).
        names (Sequence[str], optional): The signers to hold out, in place of ``share``.
        by (str): 'signer' holds out whole signers; 'clip' clips, for stores that do not tell who signs: then
            both parts show the same people.
        seed (int): Of the draw.

    Returns:
        ndarray: int64, ascending.

    Raises:
        ValueError: An option is unknown or out of range, or the clips do not tell their signers, or there is
            one alone.
    """
    if part not in ('train', 'val') or by not in ('signer', 'clip'):
        raise UserValueError(
            f"hold_out: part is 'train' or 'val' and by is 'signer' or 'clip', got {part!r} and {by!r}"
        )
    if (share is None) == (names is None) or (by == 'clip' and share is None):
        raise UserValueError("hold_out: give one of share and names (names with by='signer' alone)")
    if share is not None and not 0 < share < 1:
        raise UserValueError(f'hold_out: share must lie between 0 and 1, got {share}')
    indices = np.sort(indices)
    if by == 'clip':
        held = np.isin(indices, data_ratio_indices(labels, indices, share, seed))
        return indices[held == (part == 'val')]
    who = np.asarray(signers)[indices]
    known = sorted(set(who.tolist()))
    if '' in known:
        raise UserValueError(
            f'hold_out: {(who == "").sum()} of {len(who)} clips do not tell their signer; hold '
            "out clips: by='clip'"
        )
    if len(known) < 2:
        raise UserValueError(
            f'hold_out: all {len(who)} clips are of one signer ({", ".join(known)}), so none '
            "can be held out; hold out clips: by='clip'"
        )
    if names is None:
        count = min(max(1, int(np.floor(share * len(known) + 0.5))), len(known) - 1)
        names = np.random.RandomState(seed).permutation(known)[:count]
    elif isinstance(names, str) or not names or not set(names) < set(known):
        raise UserValueError(
            f'hold_out: names must be a list of some, not all, of the {len(known)} signers '
            f'({", ".join(known[:20])}), got {names!r}'
        )
    return indices[np.isin(who, names) == (part == 'val')]
