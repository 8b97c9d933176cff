"""Follows one person through a clip among the boxes of several."""

from typing import Optional

import numpy as np


class PersonTracker:
    """Follows the person whose box was the largest when there was nobody to follow.

    In each frame it chooses the box that overlaps most with the person's last one (intersection over union of
    at least ``min_iou``). Where none does, it chooses the nearest of those whose centre is within
    ``max_move`` diagonals of the last box and whose area is within a factor of 3 of it. A person who is not
    detected keeps the last box for ``patience`` frames, so that a missed detection does not hand over to a
    neighbour. After that, the largest person is followed.

    Args:
        min_score (float): Boxes below it are not people.
        min_iou, max_move (float): As above.
        patience (int): In frames.
    """

    def __init__(
        self, min_score: float = 0.3, min_iou: float = 0.2, max_move: float = 0.5, patience: int = 15
    ) -> None:
        self.min_score, self.min_iou, self.max_move, self.patience = min_score, min_iou, max_move, patience
        self.reset()

    def reset(self) -> None:
        """Starts a new clip."""
        self._last: Optional[np.ndarray] = None
        self._unseen = 0

    def update(self, boxes: np.ndarray) -> Optional[np.ndarray]:
        """The person's box in the next frame.

        Args:
            boxes (ndarray): Shape (N, 4) or (N, 5): x1, y1, x2, y2 in pixels, and a score.

        Returns:
            ndarray: Shape (4,); the last box while the person is not seen; None = nobody.
        """
        boxes = np.asarray(boxes, dtype=np.float64)
        boxes = boxes.reshape(-1, 4 if boxes.size == 0 else boxes.shape[-1])
        if boxes.shape[1] > 4:
            boxes = boxes[boxes[:, 4] >= self.min_score, :4]
        # Detectors also return empty and infinite boxes.
        boxes = boxes[np.isfinite(boxes).all(1) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
        chosen = self._follow(boxes) if self._last is not None else None
        if chosen is None and self._last is not None:
            self._unseen += 1
            if self._unseen <= self.patience:
                return self._last
            self._last = None
        if chosen is None and len(boxes):
            chosen = boxes[_areas(boxes).argmax()]
        self._last, self._unseen = chosen, 0
        return chosen

    def _follow(self, boxes: np.ndarray) -> Optional[np.ndarray]:
        if not len(boxes):
            return None
        last = self._last
        overlap = np.clip(
            np.minimum(boxes[:, 2:], last[2:]) - np.maximum(boxes[:, :2], last[:2]), 0, None
        ).prod(1)
        areas, area = _areas(boxes), _areas(last[None])[0]
        iou = overlap / (areas + area - overlap)
        if iou.max() >= self.min_iou:
            return boxes[iou.argmax()]
        away = np.linalg.norm(
            (boxes[:, :2] + boxes[:, 2:] - last[:2] - last[2:]) / 2, axis=1
        ) / np.linalg.norm(last[2:] - last[:2])
        # Somebody nearer to or farther from the camera is another person.
        away[(areas > 3 * area) | (3 * areas < area)] = np.inf
        return boxes[away.argmin()] if away.min() <= self.max_move else None


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)
