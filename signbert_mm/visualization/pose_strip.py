"""Cells that show one pose of a clip."""

from typing import NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np

from ..layouts import Layout
from .canvas import smoothly
from .draw_pose import draw_pose
from .grid import tile_canvas
from .palette import SIDES

_MARGIN = 0.08


class View(NamedTuple):
    """The part of the video that a cell shows: corner and size in the video's pixels."""

    left: float
    top: float
    width: float
    height: float

    def to_cell(self, points: np.ndarray, height: int, width: int) -> np.ndarray:
        """Converts the video's pixels to the cell's; the aspect is kept and the view centred."""
        scale = self.scale(height, width)
        centre = np.array([self.left + self.width / 2, self.top + self.height / 2])
        return (np.asarray(points, dtype=np.float64) - centre) * scale + [width / 2, height / 2]

    def scale(self, height: int, width: int) -> float:
        """The cell's pixels per pixel of the video."""
        return min(width / self.width, height / self.height)


def view_of(keypoints: np.ndarray, scores: np.ndarray, image_size: Optional[Sequence[float]] = None) -> View:
    """Returns a view of every present joint of a clip, with a margin.

    Args:
        keypoints (ndarray): Shape (T, V, 2), pixels.
        scores (ndarray): Shape (T, V); 0 = missing.
        image_size (Sequence[float], optional): Width and height of the video. It bounds the view, and is the
            view of a clip without joints.
    """
    present = np.asarray(keypoints)[np.asarray(scores) > 0]
    if not len(present):
        return View(0, 0, *(image_size if image_size is not None else (1, 1)))
    low, high = present.min(0).astype(np.float64), present.max(0).astype(np.float64)
    margin = _MARGIN * max((high - low).max(), 1.0)
    low, high = low - margin, high + margin
    if image_size is not None:
        # Joints far outside the image must not shrink all others.
        size = np.asarray(image_size, dtype=np.float64)
        low, high = np.maximum(low, -0.25 * size), np.minimum(high, 1.25 * size)
        # The bounds may cross for a pose completely outside; the view keeps a size above 0.
        low, high = np.minimum(low, high - 1), np.maximum(high, low + 1)
    return View(low[0], low[1], high[0] - low[0], high[1] - low[1])


def pose_cell(
    keypoints: np.ndarray,
    scores: np.ndarray,
    layout: Union[str, Layout],
    view: View,
    height: int,
    width: int,
    boxes: Optional[np.ndarray] = None,
) -> np.ndarray:
    """Draws one frame in a bordered cell.

    Args:
        keypoints (ndarray): Shape (V, 2), pixels of the video.
        scores (ndarray): Shape (V,) in [0, 1]; 0 = missing.
        layout (str | Layout): Layout of the joints.
        view (View): The part of the video to show.
        height (int): Height of the cell in pixels.
        width (int): Width of the cell in pixels.
        boxes (ndarray, optional): Shape (2, 3): centre x, y and side of the left and the right hand's crop,
            in pixels of the video. They are drawn; side 0 = none.

    Returns:
        ndarray: Shape (height, width, 3) uint8, RGB.
    """
    if not (np.asarray(scores) > 0).any():
        return tile_canvas(height, width, 'nothing found')
    canvas = tile_canvas(height, width)
    points = view.to_cell(keypoints, height, width)
    for side, box in zip(('left', 'right'), () if boxes is None else boxes):
        if box[2] > 0:
            corners = (
                view.to_cell(np.array([box[:2] - box[2] / 2, box[:2] + box[2] / 2]), height, width)
                .round()
                .astype(int)
            )
            cv2.rectangle(
                canvas, tuple(corners[0].tolist()), tuple(corners[1].tolist()), SIDES[side], 1, cv2.LINE_AA
            )
    return smoothly(canvas, lambda big, factor: draw_pose(big, factor * points, scores, layout))
