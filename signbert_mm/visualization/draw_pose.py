"""Hands and whole poses as joints and bones."""

from typing import Optional, Sequence, Tuple, Union

import cv2
import numpy as np

from ..errors import UserValueError
from ..layouts import Layout, get_layout
from .canvas import check_canvas
from .palette import BODY, FINGERS, GHOST, PALM, PAPER, SIDES, Color, faded

_SHIFT = 4  # OpenCV draws at 1/16 pixel
_MOVED = (208, 46, 58)
_FURTHEST = 1 << 20  # cv2 counts in int32 of 1/16 pixel


def _point(xy: np.ndarray) -> Tuple[int, int]:
    x, y = np.clip(np.rint(np.asarray(xy) * (1 << _SHIFT)), -_FURTHEST, _FURTHEST)
    return int(x), int(y)


def _line(
    canvas: np.ndarray, a: np.ndarray, b: np.ndarray, color: Color, thickness: float, dashed: bool = False
) -> None:
    width = max(1, int(round(thickness)))
    if not dashed:
        cv2.line(canvas, _point(a), _point(b), color, width, cv2.LINE_AA, _SHIFT)
        return
    dashes = max(1, int(np.linalg.norm(b - a) / (6 * width)))
    for start in range(dashes):
        part = (b - a) / dashes
        cv2.line(
            canvas,
            _point(a + start * part),
            _point(a + (start + 0.5) * part),
            color,
            width,
            cv2.LINE_AA,
            _SHIFT,
        )


def _disc(
    canvas: np.ndarray,
    centre: np.ndarray,
    radius: float,
    color: Color,
    edge: Optional[Color] = None,
    width: float = 1,
) -> None:
    cv2.circle(canvas, _point(centre), int(round(radius * (1 << _SHIFT))), color, -1, cv2.LINE_AA, _SHIFT)
    if edge is not None:
        cv2.circle(
            canvas,
            _point(centre),
            int(round(radius * (1 << _SHIFT))),
            edge,
            max(1, int(round(width))),
            cv2.LINE_AA,
            _SHIFT,
        )


def _finite(joints: np.ndarray, seen: np.ndarray, where: str) -> np.ndarray:
    joints = np.asarray(joints, dtype=np.float64)
    if not np.isfinite(joints[seen]).all():
        raise UserValueError(
            f'{where}: coordinates not finite at joints '
            f'{np.flatnonzero(seen & ~np.isfinite(joints).all(-1)).tolist()}'
        )
    return joints


def draw_hand(
    canvas: np.ndarray,
    joints: np.ndarray,
    scores: Optional[np.ndarray] = None,
    thickness: Optional[float] = None,
    hollow: Optional[Sequence[bool]] = None,
    moved: Optional[Sequence[bool]] = None,
    color: Optional[Color] = None,
) -> np.ndarray:
    """One hand of 21 joints, in place, each finger in its colour.

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8, RGB.
        joints (ndarray): Shape (21, 2), pixels, in the order of layout hand_21.
        scores (ndarray, optional): Shape (21,) in [0, 1]; a joint of score 0 and its bones are left out,
            uncertain ones are paler. Default: all 1.
        thickness (float, optional): Of the bones, pixels; by default what suits the canvas.
        hollow (Sequence[bool], optional): Shape (21,), joints drawn as empty circles with dashed bones:
            masked ones.
        moved (Sequence[bool], optional): Shape (21,), joints with a red ring: displaced ones.
        color (tuple, optional): One colour in place of the fingers' own.

    Returns:
        ndarray: The canvas.

    Raises:
        ValueError: Wrong shape, or coordinates not finite at a joint to be drawn.
    """
    check_canvas(canvas)
    joints = np.asarray(joints)
    if joints.shape != (21, 2):
        raise UserValueError(f'draw_hand: expected joints of shape (21, 2), got {joints.shape}')
    scores = np.ones(21) if scores is None else np.clip(np.asarray(scores, dtype=float), 0, 1)
    hollow = np.zeros(21, dtype=bool) if hollow is None else np.asarray(hollow, dtype=bool)
    moved = np.zeros(21, dtype=bool) if moved is None else np.asarray(moved, dtype=bool)
    seen = scores > 0
    joints = _finite(joints, seen, 'draw_hand')
    thickness = thickness or max(1.0, min(canvas.shape[:2]) / 60)
    strength = 0.35 + 0.65 * scores

    bones = [(a, b, b) for a, b in get_layout('hand_21').edges if seen[a] and seen[b]]
    for a, b, owner in sorted(bones, key=lambda bone: not (hollow[bone[0]] or hollow[bone[1]])):
        dashed = hollow[a] or hollow[b]
        own = color or (PALM if a == 0 else FINGERS[(owner - 1) // 4])
        line_color = GHOST if dashed else faded(own, min(strength[a], strength[b]))
        _line(canvas, joints[a], joints[b], line_color, thickness * (0.6 if dashed else 1), dashed)
    for joint in np.flatnonzero(seen):
        own = color or (PALM if joint == 0 else FINGERS[(joint - 1) // 4])
        if hollow[joint]:
            _disc(canvas, joints[joint], thickness, PAPER, GHOST, thickness / 2)
        else:
            _disc(canvas, joints[joint], 1.15 * thickness, faded(own, strength[joint]))
            if moved[joint]:
                _disc(
                    canvas,
                    joints[joint],
                    1.4 * thickness,
                    faded(own, strength[joint]),
                    _MOVED,
                    0.7 * thickness,
                )
    return canvas


def draw_pose(
    canvas: np.ndarray,
    keypoints: np.ndarray,
    scores: Optional[np.ndarray] = None,
    layout: Union[str, Layout] = 'sign_49',
    thickness: Optional[float] = None,
) -> np.ndarray:
    """A pose of any layout, in place: body grey with a coloured side each, fingers in their colours, face as
    points.

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8, RGB.
        keypoints (ndarray): Shape (V, 2), pixels of the canvas.
        scores (ndarray, optional): Shape (V,) in [0, 1]; 0 = missing, left out. All 1 by default.
        layout (str | Layout): What the joints are.
        thickness (float, optional): Of the body's bones, pixels; by default what suits the canvas.

    Returns:
        ndarray: The canvas.

    Raises:
        ValueError: The joint count is not the layout's, or coordinates are not finite at a joint that is not
            missing.
    """
    check_canvas(canvas)
    layout, keypoints = get_layout(layout), np.asarray(keypoints)
    layout.check_joints(len(keypoints), 'draw_pose')
    scores = np.ones(len(keypoints)) if scores is None else np.clip(np.asarray(scores, dtype=float), 0, 1)
    seen = scores > 0
    keypoints = _finite(keypoints, seen, 'draw_pose')
    thickness = thickness or max(1.0, min(canvas.shape[:2]) / 110)
    strength = 0.35 + 0.65 * scores

    if layout.name == 'hand_21':
        return draw_hand(canvas, keypoints, scores, thickness)
    hands = [layout.parts[name] for name in ('left_hand', 'right_hand') if name in layout.parts]
    in_hand = np.zeros(len(keypoints), dtype=bool)
    in_hand[[joint for hand in hands for joint in hand]] = True
    if {'left_shoulder', 'right_shoulder'} <= set(layout.joints):
        shoulders = layout.indices(['left_shoulder', 'right_shoulder'])
    else:
        shoulders = ()
    edges = [edge for edge in layout.edges if not (in_hand[edge[0]] and in_hand[edge[1]])]
    if shoulders and 'neck' not in layout.joints and shoulders not in edges:
        edges.append(shoulders)
    for a, b in edges:
        if seen[a] and seen[b]:
            _line(
                canvas,
                keypoints[a],
                keypoints[b],
                faded(_side(layout.joints[a], layout.joints[b]), min(strength[a], strength[b])),
                thickness,
            )
    face = set(layout.parts.get('face', ()))
    for joint in np.flatnonzero(seen & ~in_hand):
        own = BODY if joint in face else _side(layout.joints[joint], layout.joints[joint])
        _disc(
            canvas, keypoints[joint], thickness * (0.5 if joint in face else 1.2), faded(own, strength[joint])
        )
    for hand in hands:
        indices = np.asarray(hand)
        draw_hand(canvas, keypoints[indices], scores[indices], max(1.0, 0.75 * thickness))
    return canvas


def _side(first: str, second: str) -> Color:
    for side, color in SIDES.items():
        if all(name.startswith(f'{side}_') or name.endswith(f'_{side}') for name in (first, second)):
            return color
    return BODY
