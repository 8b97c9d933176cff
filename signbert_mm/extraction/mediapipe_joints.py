"""MediaPipe's landmarks as joints of coco_wholebody_133."""

from functools import lru_cache
from typing import Any, Optional, Tuple

import numpy as np

from ..layouts import get_layout, layout_mapping
from .pose_extractor import LAYOUT

NUM_BODY = 33


@lru_cache(maxsize=1)
def _indices() -> Tuple[np.ndarray, np.ndarray]:
    """Joints of coco_wholebody_133 that MediaPipe has, and which of its own they are."""
    mapping = layout_mapping(get_layout('mediapipe_holistic'), get_layout(LAYOUT))
    target = np.flatnonzero(mapping >= 0)
    return target, mapping[target]


def body_points(landmarks: Any) -> Optional[np.ndarray]:
    """Shape (33, 3) float32: x and y in shares of the image, visibility. None for no message."""
    if landmarks is None:
        return None
    return np.asarray([(point.x, point.y, point.visibility) for point in landmarks.landmark], np.float32)


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
        left, right: The hands' messages, None where a hand was not detected.

    Returns:
        ndarray: Shape (133, 3) float32: x and y in shares of the image, score. Missing joints are 0.
    """
    source_layout = get_layout('mediapipe_holistic')
    source = np.zeros((source_layout.num_joints, 3), dtype=np.float32)
    if body is not None:
        source[list(source_layout.parts['body'])] = body
    for part, landmarks in (('left_hand', left), ('right_hand', right)):
        if landmarks is not None:
            source[list(source_layout.parts[part])] = [(point.x, point.y, 1) for point in landmarks.landmark]
    pose = np.zeros((get_layout(LAYOUT).num_joints, 3), dtype=np.float32)
    target, taken = _indices()
    pose[target] = source[taken]
    return pose
