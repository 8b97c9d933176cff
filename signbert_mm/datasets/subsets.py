"""Subsets of a data set that depend on a seed alone."""

from typing import Optional, Sequence

import numpy as np

from ..errors import UserValueError


def few_shot_indices(
    labels: np.ndarray, indices: np.ndarray, classes: Sequence[int], shots: int, seed: int
) -> np.ndarray:
    """Picks k clips of each class.

    One generator serves all classes: ``r = np.random.RandomState(seed)``; for each class in order
    ``r.permutation(its indices, ascending)[:shots]``. A class with fewer clips gives all of them.

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
    # A stable sort groups the clips by class and keeps them ascending within a class.
    order = np.argsort(labels[indices], kind='stable')
    grouped = labels[indices][order]
    begins, ends = (
        np.searchsorted(grouped, classes, side='left'),
        np.searchsorted(grouped, classes, side='right'),
    )
    # All classes draw from one generator, so their order is part of the result.
    picked = [random.permutation(indices[order[begin:end]])[:shots] for begin, end in zip(begins, ends)]
    return np.sort(np.concatenate(picked)) if picked else indices[:0]


def data_ratio_indices(labels: np.ndarray, indices: np.ndarray, ratio: float, seed: int) -> np.ndarray:
    """Picks a share of the clips, the same share of each class up to one clip.

    In all these are exactly ``floor(ratio M + 1/2)`` clips. For one seed the subsets are nested: 25 % lies
    within 50 % within 75 %. Table 7 of SignBERT uses 25 to 100 %; which clips is not given in the paper.

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
    # Sorted first, so that the order of `indices` does not matter.
    shuffled = random.permutation(np.sort(indices))
    order = np.argsort(labels[shuffled], kind='stable')
    shuffled = shuffled[order]
    _, begins, sizes = np.unique(labels[shuffled], return_index=True, return_counts=True)
    rank = np.arange(len(shuffled)) - np.repeat(begins, sizes)
    # Each class's clips lie evenly over [0, 1) from a random start, and the smallest keys are taken. So each
    # class gives its share, and a larger ratio only adds clips.
    key = (rank + np.repeat(random.uniform(size=len(sizes)), sizes)) / np.repeat(sizes, sizes)
    count = max(1, int(np.floor(ratio * len(shuffled) + 0.5)))
    return np.sort(shuffled[np.argsort(key, kind='stable')[:count]])


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
    """Divides clips into a training and a validation part, for data sets without a validation split.

    Args:
        labels (ndarray): Shape (N,), every clip's label.
        signers (ndarray): Shape (N,), every clip's signer, '' = unknown.
        indices (ndarray): Shape (M,), the clips to divide, usually those of 'train'.
        part (str): 'train' or 'val'. With the same other options the two have no clip in common and together
            are all clips.
        share (float, optional): Share to hold out, in (0, 1). Of signers: the first in
            ``RandomState(seed).permutation`` of their sorted names, at least one and never all. Of clips:
            :func:`data_ratio_indices`, the same share of each class.
        names (Sequence[str], optional): The signers to hold out, instead of ``share``.
        by (str): 'signer' holds out all clips of a signer. 'clip' holds out single clips, for stores without
            signers; both parts then show the same people.
        seed (int): Of the draw.

    Returns:
        ndarray: int64, ascending.

    Raises:
        ValueError: An option is unknown or out of range, a clip's signer is unknown, or there is only one
            signer.
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
        held_out = np.isin(indices, data_ratio_indices(labels, indices, share, seed))
        return indices[held_out == (part == 'val')]
    clip_signers = np.asarray(signers)[indices]
    known = sorted(set(clip_signers.tolist()))
    if '' in known:
        raise UserValueError(
            f'hold_out: {(clip_signers == "").sum()} of {len(clip_signers)} clips do not tell their signer; '
            "hold out clips: by='clip'"
        )
    if len(known) < 2:
        raise UserValueError(
            f'hold_out: all {len(clip_signers)} clips are of one signer ({", ".join(known)}), so none '
            "can be held out; hold out clips: by='clip'"
        )
    if names is None:
        # At least one signer is held out, and at least one stays.
        count = min(max(1, int(np.floor(share * len(known) + 0.5))), len(known) - 1)
        names = np.random.RandomState(seed).permutation(known)[:count]
    # `<` is a proper subset: some of the signers, not all.
    elif isinstance(names, str) or not names or not set(names) < set(known):
        raise UserValueError(
            f'hold_out: names must be a list of some, not all, of the {len(known)} signers '
            f'({", ".join(known[:20])}), got {names!r}'
        )
    return indices[np.isin(clip_signers, names) == (part == 'val')]
