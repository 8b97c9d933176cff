"""Late fusion: sums of several recognisers' scores (SignBERT section 3.4: H+P, H+R)."""

import itertools
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..files.arrays import ArrayFileError, read_npz

KINDS = ('prob', 'logit')


@dataclass
class ClipScores:
    """One recogniser's scores of N clips.

    Args:
        name (str): For messages and tables.
        video_ids (list[str]): N distinct names.
        scores (ndarray): Shape (N, classes) float64, probabilities.
        labels (ndarray): Shape (N,) int64.
    """

    name: str
    video_ids: List[str]
    scores: np.ndarray
    labels: np.ndarray


def clip_scores(name: str, predictions: Sequence[Dict[str, Any]], kind: str = 'prob') -> ClipScores:
    """Takes the scores from predictions of :func:`~signbert_mm.evaluation.load_predictions`.

    Args:
        name (str): For messages.
        predictions (Sequence[dict]): Each with ``video_id``, ``pred_scores`` (classes,) and ``gt_label``.
        kind (str): 'prob': scores are probabilities and must sum to 1; 'logit': a softmax makes them so.

    Raises:
        ValueError: A field is absent, a video id is empty or repeated, or scores are not finite, differ in
            class count or are no probabilities.
    """
    if kind not in KINDS:
        raise UserValueError(f'{name}: scores are {kind!r}; say one of {KINDS}')
    ids, seen = [], set()
    for index, clip in enumerate(predictions):
        absent = [field for field in ('pred_scores', 'gt_label', 'video_id') if clip.get(field) is None]
        video_id = str(clip.get('video_id') or '')
        if absent or not video_id:
            raise UserValueError(
                f'{name}: clip {index} has no {absent or ["video_id"]}; clips are aligned by '
                'video_id: test with tools/test.py --dump'
            )
        if video_id in seen:
            raise UserValueError(
                f'{name}: video_id {video_id!r} comes twice; names must be unique to align by them'
            )
        seen.add(video_id)
        ids.append(video_id)
    rows = [
        np.asarray(
            clip['pred_scores'].float() if hasattr(clip['pred_scores'], 'float') else clip['pred_scores'],
            np.float64,
        )
        for clip in predictions
    ]
    counts = sorted({len(row) for row in rows})
    if len(counts) != 1:
        raise UserValueError(f'{name}: scores of {counts} classes in one file')
    scores = np.stack(rows)
    finite = np.isfinite(scores).all(1)
    if not finite.all():
        raise UserValueError(
            f'{name}: {(~finite).sum()} clips have scores that are not finite, the first is '
            f'{ids[int(np.argmin(finite))]!r}'
        )
    if kind == 'logit':
        # The maximum is subtracted so that exp cannot overflow; the softmax stays the same.
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
    # float16 scores of many classes sum to 1 only approximately.
    off = np.abs(scores.sum(1) - 1) > 1e-3
    if off.any() or scores.min() < -1e-6:
        first = int(np.argmax(off)) if off.any() else int(scores.min(1).argmin())
        raise UserValueError(
            f'{name}: scores of {ids[first]!r} sum to {scores[first].sum():.4g}, with a minimum of '
            f'{scores[first].min():.4g}: no probabilities; '
            "say that they are 'logit'"
        )
    labels = np.array([int(clip['gt_label']) for clip in predictions])
    return ClipScores(name, ids, scores, labels)


def save_scores(path: Union[str, 'os.PathLike[str]'], part: ClipScores) -> None:
    """Writes scores as float32 to an npz file, which :func:`load_scores` reads."""
    np.savez(
        path, video_ids=np.array(part.video_ids), scores=part.scores.astype(np.float32), labels=part.labels
    )


def load_scores(path: Union[str, 'os.PathLike[str]'], name: str) -> ClipScores:
    """Reads a file of :func:`save_scores`.

    Raises:
        ValueError: The file is damaged or of another kind.
    """
    try:
        fields = read_npz(path)
        return ClipScores(
            name, fields['video_ids'].tolist(), fields['scores'].astype(np.float64), fields['labels']
        )
    except (ArrayFileError, KeyError) as error:
        raise UserValueError(
            f'{os.fspath(path)}: not a whole file of scores ({error}); make it again'
        ) from error


def check_classes(parts: Sequence[ClipScores]) -> None:
    """Checks that all parts have the same number of classes.

    Raises:
        ValueError: The numbers differ, so the label maps do.
    """
    counts = {part.name: part.scores.shape[1] for part in parts}
    if len(set(counts.values())) > 1:
        raise UserValueError(f'the parts have other label maps: {counts} classes')


def align(parts: Sequence[ClipScores]) -> Tuple[List[ClipScores], Dict[str, List[str]]]:
    """Reduces the parts to the clips that all of them have, in the first part's order.

    Returns:
        tuple: The reduced parts; and for each part's name, the clips that it lacks and another part has.

    Raises:
        ValueError: The class counts differ, a clip has different labels (another label map), or no clip is
            common to all parts.
    """
    check_classes(parts)
    row_maps = [{video_id: row for row, video_id in enumerate(part.video_ids)} for part in parts]
    every = list(dict.fromkeys(itertools.chain.from_iterable(part.video_ids for part in parts)))
    missing = {
        part.name: [video_id for video_id in every if video_id not in rows_of]
        for part, rows_of in zip(parts, row_maps)
    }
    # Clips are matched by name: files of predictions may differ in order and in clips.
    common = [video_id for video_id in parts[0].video_ids if all(video_id in rows_of for rows_of in row_maps)]
    if not common:
        firsts = {part.name: part.video_ids[0] for part in parts}
        raise UserValueError(f'no clip is in all parts; their first video ids: {firsts}')
    cut = []
    for part, rows_of in zip(parts, row_maps):
        rows = [rows_of[video_id] for video_id in common]
        cut.append(ClipScores(part.name, common, part.scores[rows], part.labels[rows]))
    # Equal class counts do not prove equal label maps, but equal labels of all clips do.
    for part in cut[1:]:
        other = np.flatnonzero(part.labels != cut[0].labels)
        if len(other):
            raise UserValueError(
                f'{len(other)} of {len(common)} clips have other labels in {part.name} than in '
                f'{cut[0].name}, the first is {common[other[0]]!r} '
                f'({part.labels[other[0]]} and {cut[0].labels[other[0]]}): the label maps differ; test both '
                'with one data set'
            )
    return cut, missing


def check_weights(weights: Sequence[float], count: int) -> np.ndarray:
    """Returns the weights of ``count`` parts as an array.

    Raises:
        ValueError: The number of weights is wrong, one is below 0 or not finite, or all are 0.
    """
    values = np.asarray(weights, np.float64)
    if values.shape != (count,) or not np.isfinite(values).all() or values.min() < 0 or values.sum() <= 0:
        raise UserValueError(
            f'{count} parts need as many weights, none below 0 and not all 0; got {list(values)}'
        )
    return values


def fused(parts: Sequence[ClipScores], weights: Optional[Sequence[float]] = None) -> np.ndarray:
    """The weighted mean of aligned parts' probabilities, shape (N, classes).

    Without weights it is the plain sum of the papers, divided by the number of parts.

    Raises:
        ValueError: As :func:`check_weights`.
    """
    values = check_weights(np.ones(len(parts)) if weights is None else weights, len(parts))
    return sum(weight * part.scores for weight, part in zip(values, parts)) / values.sum()


def top_k_accuracy(scores: np.ndarray, labels: np.ndarray, topk: Sequence[int] = (1, 5)) -> Dict[str, float]:
    """P-I and P-C in percent; of equal scores the lower class ranks first, as in :class:`SignAccuracy`.

    Args:
        scores (ndarray): Shape (N, classes).
        labels (ndarray): Shape (N,), in [0, classes).
        topk (Sequence[int]): Values of k, at least 1.

    Returns:
        dict: 'p_i/top1', 'p_c/top1', ...

    Raises:
        ValueError: A clip has no label, or a k is below 1.
    """
    import torch

    from .metrics.sign_accuracy import target_ranks
    from .predictions import check_labelled

    check_labelled(labels, 'accuracy')
    if min(topk, default=1) < 1:
        raise UserValueError(f'accuracy: topk must be positive integers, got {list(topk)}')
    ranks = target_ranks(torch.from_numpy(scores), torch.from_numpy(labels)).numpy()
    # Classes without clips do not appear in `inverse`, so no mean is over nothing.
    _, inverse = np.unique(labels, return_inverse=True)
    result = {}
    for k in topk:
        right = (ranks < k).astype(np.float64)
        result[f'p_i/top{k}'] = 100 * float(right.mean())
        result[f'p_c/top{k}'] = 100 * float((np.bincount(inverse, right) / np.bincount(inverse)).mean())
    return result


def search_weights(parts: Sequence[ClipScores], steps: int = 10) -> Tuple[Tuple[float, ...], float]:
    """Searches the weights with the best P-I top-1, in steps of 1 / ``steps`` and with sum 1.

    Of equally good weights it takes those nearest to equal weights.

    Args:
        parts (Sequence[ClipScores]): Aligned parts of a validation split, never of the reported split.
        steps (int): Steps from weight 0 to 1.

    Returns:
        tuple: Weights, and their P-I top-1 on these parts in percent.
    """
    # All integer weights with sum `steps`: a few dozen for two or three parts.
    grid = [row for row in itertools.product(range(steps + 1), repeat=len(parts)) if sum(row) == steps]
    even = steps / len(parts)
    best = max(grid, key=lambda row: (_top1(parts, row), -sum((value - even) ** 2 for value in row)))
    return tuple(value / steps for value in best), _top1(parts, best)


def _top1(parts: Sequence[ClipScores], weights: Sequence[float]) -> float:
    return top_k_accuracy(fused(parts, weights), parts[0].labels, (1,))['p_i/top1']
