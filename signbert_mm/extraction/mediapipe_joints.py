"""MediaPipe's landmarks as joints of coco_wholebody_133."""

from functools import lru_cache
from itertools import permutations
from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ..layouts import get_layout, layout_mapping
from .pose_extractor import LAYOUT

NUM_BODY = 33
# The body's left and right wrist, and the visibility from which Holistic looks for a hand there.
WRISTS, VISIBLE = [15, 16], 0.1
SHOULDERS, HIPS = [11, 12], [23, 24]


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
    points = getattr(landmarks, 'landmark', landmarks)
    return np.asarray([(point.x, point.y, point.visibility) for point in points], np.float32)


def hand_points(landmarks: Any) -> Optional[np.ndarray]:
    """Shape (21, 2) float32: x and y in shares of the image. None for no message."""
    if landmarks is None:
        return None
    return np.asarray([(point.x, point.y) for point in landmarks.landmark], np.float32)


def body_message(points: np.ndarray) -> Any:
    """The message of :func:`body_points`, for a graph."""
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmark, NormalizedLandmarkList

    return NormalizedLandmarkList(
        landmark=[NormalizedLandmark(x=x, y=y, visibility=score) for x, y, score in points.tolist()]
    )


def whole_body(
    body: Optional[np.ndarray], left: Optional[np.ndarray], right: Optional[np.ndarray]
) -> np.ndarray:
    """The joints of one frame, without the face.

    MediaPipe has no scores for hands; their joints get score 1.

    Args:
        body (ndarray, optional): Shape (33, 3): x, y, score.
        left, right (ndarray, optional): Shape (21, 2): x, y. None where a hand was not detected.

    Returns:
        ndarray: Shape (133, 3) float32: x and y as they were given, score. Missing joints are 0.
    """
    source_layout = get_layout('mediapipe_holistic')
    source = np.zeros((source_layout.num_joints, 3), dtype=np.float32)
    if body is not None:
        source[list(source_layout.parts['body'])] = body
    for part, hand in (('left_hand', left), ('right_hand', right)):
        if hand is not None:
            source[list(source_layout.parts[part]), :2] = hand
            source[list(source_layout.parts[part]), 2] = 1
    pose = np.zeros((get_layout(LAYOUT).num_joints, 3), dtype=np.float32)
    target, taken = _indices()
    pose[target] = source[taken]
    return pose


def hands_at_wrists(
    body: Optional[np.ndarray], hands: Sequence[np.ndarray]
) -> Tuple[Optional[np.ndarray], Optional[np.ndarray]]:
    """The left and the right hand among those detected: each at its wrist of the body, as in Holistic.

    A hand is at a visible wrist if its root is no farther from it than the hand is large (the longer side of
    the box about its joints). Where there is a choice, the sum of the distances in sizes is least; a side
    without a hand counts as one size. Hands of other people are far from the wrists, and left out.

    Args:
        body (ndarray, optional): Shape (33, 3): x and y in pixels, visibility. Without it there are no hands.
        hands (Sequence[ndarray]): Shape (21, 2) each, pixels.

    Returns:
        tuple: The left and the right hand; None where there is none.
    """
    if body is None or not len(hands):
        return None, None
    found = np.stack(hands)
    sizes = np.maximum(np.ptp(found, axis=1).max(-1), 1e-6)
    apart = np.linalg.norm(found[:, 0] - body[WRISTS, None, :2], axis=-1) / sizes
    near = (apart <= 1) & (body[WRISTS, None, 2] > VISIBLE)
    # One more column a wrist: no hand.
    cost = np.concatenate([np.where(near, apart, np.inf), np.ones((2, 2))], axis=1)
    left, right = min(
        permutations(range(len(hands) + 2), 2), key=lambda pair: cost[0, pair[0]] + cost[1, pair[1]]
    )
    return tuple(hands[index] if index < len(hands) else None for index in (left, right))


def reach(
    body: np.ndarray, image_size: Tuple[int, int], before: Optional[Tuple[int, int, int, int]] = None
) -> Tuple[int, int, int, int]:
    """The part of an image in which the signer's hands move, where a detector sees them larger.

    It is a square about the shoulders of 2.6 times the trunk's length, wider where a wrist is near its edge.
    The trunk's length is the distance of shoulders and hips, at least 1.2 times the shoulders' width.

    Args:
        body (ndarray): As :func:`body_points` gives it.
        image_size (tuple[int, int]): Width and height in pixels.
        before (tuple, optional): That of the frame before. It is kept while all wrists lie in it and it is
            neither much too large nor too small, since a tracker takes it for the image.

    Returns:
        tuple[int, int, int, int]: Left, top, right and bottom in pixels, inside the image.
    """
    points = body[:, :2] * image_size
    shoulders, hips = points[SHOULDERS].mean(0), points[HIPS].mean(0)
    width = np.linalg.norm(points[SHOULDERS[0]] - points[SHOULDERS[1]])
    trunk = max(np.linalg.norm(hips - shoulders), 1.2 * width, 1)
    middle = shoulders + (0, 0.3 * trunk)
    around = np.stack([middle - 1.3 * trunk, middle + 1.3 * trunk])
    wrists = points[WRISTS][body[WRISTS, 2] > VISIBLE].reshape(-1, 2)

    def inside(box: np.ndarray) -> Tuple[int, int, int, int]:
        left, top = np.clip(np.floor(box[0]), 0, np.subtract(image_size, 1))
        right, bottom = np.clip(np.ceil(box[1]), np.add((left, top), 1), image_size)
        return int(left), int(top), int(right), int(bottom)

    # What must be seen, and what is taken when that is not.
    seen = np.concatenate(
        [around[:1] + 0.3 * trunk, around[1:] - 0.3 * trunk, wrists - 0.3 * trunk, wrists + 0.3 * trunk]
    )
    taken = np.concatenate([around, wrists - 0.6 * trunk, wrists + 0.6 * trunk])
    needed, wanted = (inside(np.stack([box.min(0), box.max(0)])) for box in (seen, taken))
    if before is not None:
        holds = all(before[i] <= needed[i] and needed[i + 2] <= before[i + 2] for i in (0, 1))
        longer = max(before[2] - before[0], before[3] - before[1])
        if holds and longer <= 1.5 * max(wanted[2] - wanted[0], wanted[3] - wanted[1]):
            return before
    return wanted
