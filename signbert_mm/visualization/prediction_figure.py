"""What a recogniser says about a clip: its best classes, and the clip beside them."""

from typing import Optional, Sequence, Union

import cv2
import numpy as np

from ..errors import UserValueError
from ..layouts import Layout
from ..structures import SignDataSample
from .canvas import blank, draw_text, shortened
from .grid import MARGIN, page, picture_grid
from .palette import ACCENT, FINGERS, GHOST, INK, LINE, QUIET, SIDES, faded
from .pose_strip import pose_cell, view_of

_RIGHT, _WRONG = FINGERS[2], FINGERS[0]


def as_probabilities(scores: np.ndarray) -> np.ndarray:
    """Scores that are not negative and sum to 1 as they are; others (logits, fused sums) through softmax."""
    scores = np.asarray(scores, dtype=np.float64)
    if (scores >= 0).all() and abs(scores.sum() - 1) < 1e-3:
        return scores
    grown = np.exp(scores - scores.max())
    return grown / grown.sum()


def score_bars(
    scores: np.ndarray,
    glosses: Optional[Sequence[str]] = None,
    gt_label: Optional[int] = None,
    topk: int = 5,
    width: int = 620,
) -> np.ndarray:
    """Horizontal bars of the best classes; the right one is green, a wrong first one red.

    Args:
        scores (ndarray): Shape (classes,), see :func:`as_probabilities`.
        glosses (Sequence[str], optional): The classes' names.
        gt_label (int, optional): The right class; None or -1 = not known. It gets a line of its own where it
            is not among the best.
        topk (int): How many.
        width (int): Of the picture, pixels.

    Returns:
        ndarray: Shape (H, width, 3) uint8, RGB.

    Raises:
        ValueError: Scores not finite, or glosses of another number.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise UserValueError(
            f'score_bars: expected finite scores of shape (classes,), got shape {scores.shape}'
        )
    if glosses is not None and len(glosses) != len(scores):
        raise UserValueError(f'score_bars: {len(scores)} scores but {len(glosses)} glosses')
    shares = as_probabilities(scores)
    order = np.argsort(-shares, kind='stable')
    known = gt_label is not None and gt_label >= 0
    shown = list(order[:topk]) + ([gt_label] if known and gt_label not in order[:topk] else [])
    row, left, right = 30, 190, width - 70
    canvas = blank(row * len(shown) + 8, width)
    for line, label in enumerate(shown):
        y = 4 + row * line + row // 2
        place = int(np.flatnonzero(order == label)[0]) + 1
        is_target = known and label == gt_label
        color = _RIGHT if is_target else _WRONG if known and line == 0 else ACCENT if line == 0 else GHOST
        name = str(glosses[label]) if glosses is not None else f'class {label}'
        draw_text(canvas, f'{place}', MARGIN + 18, y, 12, QUIET, 'rm')
        draw_text(
            canvas,
            shortened(name, left - MARGIN - 40, 14, is_target),
            MARGIN + 28,
            y,
            14,
            INK,
            'lm',
            bold=is_target,
        )
        cv2.rectangle(canvas, (left, y - 8), (right, y + 8), faded(LINE, 0.5), -1)
        cv2.rectangle(
            canvas, (left, y - 8), (left + int(round((right - left) * shares[label])), y + 8), color, -1
        )
        draw_text(canvas, f'{100 * shares[label]:.1f} %', width - MARGIN, y, 12, INK, 'rm')
    return canvas


def attention_strip(attention: np.ndarray, width: int, height: int = 40) -> np.ndarray:
    """The head's weight of each token over time, a row of bars for each hand.

    Args:
        attention (ndarray): Shape (T, 2), weights that sum to 1.
        width (int): Of the picture, pixels.
        height (int): Of one hand's bars.
    """
    canvas = blank(2 * height + 12, width)
    left, right = MARGIN + 110, width - MARGIN
    edges = np.linspace(left, right, len(attention) + 1).round().astype(int)
    tallest = max(float(attention.max()), 1e-12)
    for row, (hand, side) in enumerate(((1, 'right'), (0, 'left'))):
        base = (row + 1) * (height + 4)
        draw_text(canvas, f'{side} hand', left - 10, base - height / 2, 12, QUIET, 'rm')
        for t, weight in enumerate(attention[:, hand]):
            top = base - int(round((height - 4) * weight / tallest))
            cv2.rectangle(canvas, (edges[t], top), (max(edges[t + 1] - 2, edges[t]), base), SIDES[side], -1)
        cv2.line(canvas, (left, base), (right, base), LINE, 1)
    return canvas


def _line_of_text(text: str, width: int) -> np.ndarray:
    canvas = blank(34, width)
    draw_text(canvas, shortened(text, width - 2 * MARGIN, 14), MARGIN, 17, 14, INK, 'lm')
    return canvas


def prediction_figure(
    sample: SignDataSample,
    keypoints: Optional[np.ndarray] = None,
    scores: Optional[np.ndarray] = None,
    layout: Union[str, Layout] = 'sign_49',
    glosses: Optional[Sequence[str]] = None,
    topk: int = 5,
    columns: int = 8,
    title: str = '',
    places: Optional[Sequence[int]] = None,
) -> np.ndarray:
    """A recogniser's prediction: the clip as a row of poses, the attention over time where the sample has it,
    and the best classes.

    Args:
        sample (SignDataSample): With ``pred_scores`` (classes,); ``attention`` (T, 2) and ``gt_label`` are
            shown where there. With ``reason`` (str), why there is no answer, that is shown instead of
            classes.
        keypoints (ndarray, optional): Shape (T, V, 2), pixels; without them no poses are drawn.
        scores (ndarray, optional): Shape (T, V) in [0, 1]; 0 = missing. All 1 by default.
        layout (str | Layout): What the joints are.
        glosses (Sequence[str], optional): The classes' names.
        topk (int): How many classes.
        columns (int): How many poses.
        title (str): Above the figure; the clip's name by default.
        places (Sequence[int], optional): Which frames of the video the T are, for their labels; 0, 1, .. by
            default.

    Returns:
        ndarray: Shape (H, W, 3) uint8, RGB.
    """
    sample = sample.cpu()
    parts, width = [], 760
    if keypoints is not None:
        keypoints = np.asarray(keypoints)
        scores = np.ones(keypoints.shape[:2]) if scores is None else np.asarray(scores)
        frames = np.unique(
            np.linspace(0, len(keypoints) - 1, min(columns, len(keypoints))).round().astype(int)
        )
        view = view_of(keypoints, scores)
        size = (190, int(np.clip(190 * view.width / view.height, 90, 220)))
        parts.append(
            picture_grid(
                ['Pose'],
                [f'frame {t if places is None else places[t]}' for t in frames],
                lambda _, c: pose_cell(keypoints[frames[c]], scores[frames[c]], layout, view, *size),
                size,
            )
        )
        width = max(width, parts[0].shape[1])
    if 'attention' in sample:
        parts.append(attention_strip(sample.attention.numpy(), width))
    label = int(sample.gt_label) if 'gt_label' in sample else None
    if sample.get('reason'):  # no class is an answer
        parts.append(_line_of_text(f'no answer: {sample.reason}', width))
    else:
        parts.append(score_bars(sample.pred_scores.float().numpy(), glosses, label, topk, width))
    name = title or (sample.get('video_id') or f'clip {sample.get("sample_idx", "")}').strip()
    truth = (
        ''
        if label is None or label < 0
        else f'truth: {glosses[label] if glosses is not None else f"class {label}"}'
    )
    return page(parts, name, truth)
