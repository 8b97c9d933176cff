"""MediaPipe's landmarks as joints of coco_wholebody_133."""

from functools import lru_cache
from itertools import permutations
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from ..layouts import get_layout, layout_mapping
from .pose_extractor import LAYOUT

NUM_BODY = 33
# The body's left and right wrist, and the visibility from which Holistic looks for a hand there.
WRISTS, VISIBLE = [15, 16], 0.1


@lru_cache(maxsize=1)
def _indices() -> Tuple[np.ndarray, np.ndarray]:
    """Joints of coco_wholebody_133 that MediaPipe has, and which of its own they are."""
    mapping = layout_mapping(get_layout('mediapipe_holistic'), get_layout(LAYOUT))
    target = np.flatnonzero(mapping >= 0)
    return target, mapping[target]


def body_points(landmarks: Any) -> Optional[np.ndarray]:
    """Shape (33, 3) float32: x and y in shares of the image, visibility. None for no message.

    Args:
        landmarks: A message of ``mp.solutions``, a list of points of MediaPipe's Tasks, or None.
    """
    if landmarks is None:
        return None
    return np.asarray([(point.x, point.y, point.visibility) for point in _points(landmarks)], np.float32)


def _points(landmarks: Any) -> Sequence[Any]:
    return getattr(landmarks, 'landmark', landmarks)


def body_message(points: np.ndarray) -> Any:
    """The message of :func:`body_points`, for a graph."""
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmark, NormalizedLandmarkList

    return NormalizedLandmarkList(
        landmark=[NormalizedLandmark(x=x, y=y, visibility=score) for x, y, score in points.tolist()]
    )


def whole_body(body: Optional[np.ndarray], left: Any, right: Any) -> np.ndarray:
    """The joints of one frame, without the face.

    MediaPipe has no scores for hands; their joints get score 1.

    Args:
        body (ndarray, optional): As :func:`body_points` gives it.
        left, right: The hands' messages or lists of points, None where a hand was not detected.

    Returns:
        ndarray: Shape (133, 3) float32: x and y in shares of the image, score. Missing joints are 0.
    """
    source_layout = get_layout('mediapipe_holistic')
    source = np.zeros((source_layout.num_joints, 3), dtype=np.float32)
    if body is not None:
        source[list(source_layout.parts['body'])] = body
    for part, landmarks in (('left_hand', left), ('right_hand', right)):
        if landmarks is not None:
            source[list(source_layout.parts[part])] = [(point.x, point.y, 1) for point in _points(landmarks)]
    pose = np.zeros((get_layout(LAYOUT).num_joints, 3), dtype=np.float32)
    target, taken = _indices()
    pose[target] = source[taken]
    return pose


def hands_at_wrists(
    body: Optional[np.ndarray], hands: Sequence[Any], image_size: Tuple[int, int]
) -> List[Optional[Any]]:
    """The left and the right hand among those detected: each at its wrist of the body, as in Holistic.

    A hand is at a visible wrist if its root is no farther from it than the hand is large (the longer side of
    the box about its joints). Where there is a choice, the sum of the distances in sizes is least; a hand
    that is left out counts as one size. Hands of other people are far from the wrists, and left out.

    Args:
        body (ndarray, optional): As :func:`body_points` gives it. Without a body there are no hands.
        hands (Sequence): Lists of 21 points.
        image_size (tuple[int, int]): Width and height in pixels, since a share of one is not that of the
            other.

    Returns:
        list: The points of the left and of the right hand, None where there is none.
    """
    if body is None:
        return [None, None]
    found = np.asarray([[(point.x, point.y) for point in hand] for hand in hands]).reshape(-1, 21, 2) * image_size
    sizes = np.ptp(found, axis=1).max(-1)
    apart = np.linalg.norm(found[:, 0] - body[WRISTS, None, :2] * image_size, axis=-1)
    cost = np.where(body[WRISTS, None, 2] > VISIBLE, apart / np.maximum(sizes, 1e-6), np.inf)
    # One more column a wrist: no hand.
    cost = np.concatenate([np.where(cost <= 1, cost, np.inf), np.ones((2, 2))], axis=1)
    pairs = permutations(range(len(hands) + 2), 2)
    chosen = min(pairs, key=lambda pair: cost[0, pair[0]] + cost[1, pair[1]])
    return [hands[index] if index < len(hands) else None for index in chosen]
