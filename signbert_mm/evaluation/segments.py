"""Compares signs that were found in time with the true ones."""

from typing import Dict, List, Sequence, Tuple

import numpy as np

Span = Sequence[float]


def interval_iou(first: Span, second: Span) -> float:
    """Intersection over union of two intervals (start, end); 0 where both are empty."""
    shared = max(0.0, min(first[1], second[1]) - max(first[0], second[0]))
    union = (first[1] - first[0]) + (second[1] - second[0]) - shared
    return shared / union if union > 0 else 0.0


def match_segments(
    found: Sequence[Span], true: Sequence[Span], iou: float = 0.5, same_label: bool = False
) -> List[Tuple[int, int]]:
    """Pairs of a found and a true segment, each in one pair at most; the largest IoU first.

    Args:
        found, true (Sequence): Each segment (start, end) or, for ``same_label``, (start, end, label), in one
            unit of time.
        iou (float): Smallest IoU of a pair, in (0, 1].
        same_label (bool): Only segments of equal labels make a pair.

    Returns:
        list[tuple[int, int]]: Indices in ``found`` and ``true``.
    """
    overlaps = np.asarray([[interval_iou(a, b) for b in true] for a in found]).reshape(len(found), len(true))
    if same_label:
        overlaps *= np.asarray([[a[2] == b[2] for b in true] for a in found]).reshape(overlaps.shape)
    pairs: List[Tuple[int, int]] = []
    while overlaps.size and overlaps.max() >= iou:
        row, column = divmod(int(overlaps.argmax()), len(true))
        pairs.append((row, column))
        # Neither may be in another pair.
        overlaps[row], overlaps[:, column] = -1, -1
    return pairs


def f1_score(matched: int, found: int, true: int) -> float:
    """2 matched / (found + true); 0 where there is neither."""
    return 2 * matched / (found + true) if found + true else 0.0


def segment_figures(
    found: Sequence[Sequence[Span]], true: Sequence[Sequence[Span]], seconds: float, iou: float = 0.5
) -> Dict[str, float]:
    """How well the signs of some videos were found.

    Args:
        found, true (Sequence): For each video its segments (start, end, label).
        seconds (float): Length of all videos.
        iou (float): See :func:`match_segments`.

    Returns:
        dict: ``f1``, ``precision`` and ``recall`` in [0, 1] and ``false_per_minute``; the same with prefix
        ``gloss_``, where a found sign is right only with the right label; the counts ``found`` and ``true``.
    """
    counts = dict(found=sum(map(len, found)), true=sum(map(len, true)))
    figures: Dict[str, float] = dict(counts)
    for prefix, same_label in (('', False), ('gloss_', True)):
        matched = sum(len(match_segments(a, b, iou, same_label)) for a, b in zip(found, true))
        figures.update(
            {
                f'{prefix}f1': f1_score(matched, counts['found'], counts['true']),
                f'{prefix}precision': matched / max(counts['found'], 1),
                f'{prefix}recall': matched / max(counts['true'], 1),
                f'{prefix}false_per_minute': (counts['found'] - matched) * 60 / seconds,
            }
        )
    return figures
