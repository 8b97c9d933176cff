"""The parts of signs: hand shapes, hand orientations, places and directions.

Real sign languages build thousands of signs from some dozens of shapes, places and movements. Signs that
share them are easy to confuse. The lists below follow such inventories in outline and describe no particular
language.

Body frame: origin between the shoulders, metres, x to the signer's left, y up, z forward. Everything is given
for the RIGHT hand.
"""

from typing import Dict, Tuple

import numpy as np
from numpy import ndarray

from .arrays import frame_quaternion
from .hand_skeleton import LIMITS

# flexion of the three joints of a finger, degrees
_FINGER_STATES = dict(
    e=(0, 4, 3),  # extended
    b=(78, 10, 6),  # bent at the knuckle, else straight
    f=(84, 100, 62),  # in the fist
    h=(4, 88, 58),  # hooked
    c=(34, 42, 28),  # curved
    o=(56, 50, 34),  # curved to meet the thumb
    l=(-8, 56, 40),  # claw
    r=(18, 26, 14),  # relaxed
    d=(-12, 6, 4),  # stretched back
)
# (flexion, abduction, twist) of the thumb's three joints, degrees
_THUMB_STATES = dict(
    out=((-14, -4, 0), (0, 0, 0), (-4, 0, 0)),  # away from the hand, in its plane
    side=((12, -24, 0), (22, 0, 0), (8, 0, 0)),  # along the forefinger
    up=((0, -20, -6), (32, 0, 0), (14, 0, 0)),  # beside the fist
    across=((32, -4, -4), (54, 0, 0), (52, 0, 0)),  # over the palm
    fist=((14, 14, 14), (55, 0, 0), (59, 0, 0)),  # over the bent fingers
    opposed=((4, 32, 29), (40, 0, 0), (34, 0, 0)),  # in front of the palm
    pinch=((22, 24, 18), (46, 0, 0), (39, 0, 0)),  # at the fingers' tips
    loose=((4, 4, 4), (14, 0, 0), (12, 0, 0)),
)
# thumb, the four fingers from forefinger to little finger, spread (0 = closed, 1 = wide)
_SHAPES: Dict[str, Tuple[str, str, float]] = dict(
    relaxed=('loose', 'rrrr', 0.3),
    fist=('fist', 'ffff', 0.0),
    thumb_up=('out', 'ffff', 0.0),
    fist_thumb_beside=('up', 'ffff', 0.0),
    flat=('side', 'eeee', 0.0),
    flat_thumb_across=('across', 'eeee', 0.0),
    flat_thumb_out=('out', 'eeee', 0.1),
    spread=('out', 'eeee', 1.0),
    four=('across', 'eeee', 0.9),
    bent_flat=('side', 'bbbb', 0.0),
    claw=('out', 'llll', 0.8),
    curved=('opposed', 'cccc', 0.1),
    round=('pinch', 'oooo', 0.0),
    flat_round=('opposed', 'bbbb', 0.0),
    pointing=('fist', 'efff', 0.0),
    pointing_thumb_out=('out', 'efff', 0.0),
    hooked_finger=('fist', 'hfff', 0.0),
    pinch_rest_closed=('pinch', 'offf', 0.0),
    pinch_rest_open=('pinch', 'oeee', 0.5),
    two_closed=('fist', 'eeff', 0.0),
    two_spread=('fist', 'eeff', 0.9),
    two_bent=('fist', 'bbff', 0.0),
    two_hooked=('fist', 'hhff', 0.7),
    two_thumb_out=('out', 'eeff', 0.6),
    three=('fist', 'eeef', 0.8),
    middle_in=('loose', 'eoee', 0.7),
    middle_touch=('pinch', 'eoee', 0.6),
    little=('fist', 'fffe', 0.0),
    horns=('fist', 'effe', 0.3),
    thumb_little=('out', 'fffe', 0.2),
    thumb_fore_little=('out', 'effe', 0.3),
    ring_touch=('pinch', 'eeoe', 0.5),
    thumb_fore_curved=('opposed', 'cfff', 0.0),
    two_curved=('opposed', 'ccff', 0.1),
    stretched=('out', 'dddd', 0.9),
    forefinger_bent=('side', 'beee', 0.0),
)
SHAPE_NAMES = tuple(_SHAPES)
RELAXED = SHAPE_NAMES.index('relaxed')
# shapes that the passive hand of a two-handed sign takes
BASE_SHAPES = tuple(
    SHAPE_NAMES.index(name)
    for name in ('flat', 'fist', 'spread', 'curved', 'round', 'pointing', 'flat_thumb_out', 'bent_flat')
)
# Abduction of the four fingers' first joints, degrees towards the thumb: closed, and spread wide.
_CLOSED = np.array([-1.0, 0.0, 1.5, 3.5])
_SPREAD = np.array([9.0, 1.0, -7.0, -15.0])


def shape_angles(rng: np.random.Generator) -> ndarray:
    """The shapes as joint angles.

    All 45 axes are used: each angle gets a small random offset from ``rng``, so fingers in the same state
    differ.

    Returns:
        ndarray: Shape (len(SHAPE_NAMES), 5, 3, 3), radians, within the joint limits.
    """
    angles = np.zeros((len(_SHAPES), 5, 3, 3))
    for index, (thumb, fingers, spread) in enumerate(_SHAPES.values()):
        angles[index, 0] = _THUMB_STATES[thumb]
        for finger, state in enumerate(fingers):
            angles[index, 1 + finger, :, 0] = _FINGER_STATES[state]
            # Bent fingers cannot spread: abduction fades out over the first 90 degrees of flexion.
            straight = 1.0 - min(max(_FINGER_STATES[state][0], 0) / 90.0, 1.0)
            angles[index, 1 + finger, 0, 1] = straight * (
                _CLOSED[finger] * (1 - spread) + _SPREAD[finger] * spread
            )
    scale = np.array([4.0, 2.0, 2.0])  # flexion, abduction, twist
    angles += rng.standard_normal(angles.shape) * scale
    return np.clip(np.radians(angles), LIMITS[..., 0], LIMITS[..., 1])


# (direction of the fingers, direction the palm faces)
_ORIENTATIONS = dict(
    up_out=((0.1, 1.0, 0.1), (0.0, 0.0, 1.0)),
    up_medial=((0.0, 1.0, 0.2), (1.0, 0.0, 0.1)),
    up_in=((0.35, 1.0, 0.0), (0.0, 0.0, -1.0)),
    forward_medial=((0.25, 0.15, 1.0), (1.0, 0.0, -0.2)),
    forward_down=((0.3, 0.2, 1.0), (0.0, -1.0, 0.2)),
    forward_up=((0.3, 0.1, 1.0), (0.0, 1.0, 0.0)),
    medial_in=((1.0, 0.25, 0.25), (0.2, 0.0, -1.0)),
    medial_down=((1.0, 0.15, 0.35), (0.0, -1.0, 0.0)),
    medial_up=((1.0, 0.0, 0.5), (0.0, 1.0, 0.0)),
    diagonal_out=((0.7, 0.8, 0.3), (-0.2, -0.2, 1.0)),
    diagonal_in=((0.7, 0.8, -0.1), (0.3, 0.0, -1.0)),
    down_in=((0.45, -0.8, 0.4), (0.1, -0.3, -1.0)),
    up_forward_down=((0.1, 0.7, 0.8), (0.0, -0.8, 0.7)),
)
ORIENTATION_NAMES = tuple(_ORIENTATIONS)
# (O, 4)
ORIENTATIONS = np.stack([frame_quaternion(np.array(y), np.array(z)) for y, z in _ORIENTATIONS.values()])
BASE_ORIENTATIONS = tuple(
    ORIENTATION_NAMES.index(name)
    for name in ('medial_up', 'medial_in', 'medial_down', 'forward_medial', 'forward_up', 'forward_down')
)

# Targets of the middle of the hand; those at the head move with the signer's head.
_PLACES = dict(
    forehead=(-0.05, 0.31, 0.13),
    temple=(-0.11, 0.27, 0.09),
    cheek=(-0.09, 0.19, 0.11),
    mouth=(-0.02, 0.16, 0.15),
    chin=(-0.02, 0.11, 0.14),
    beside_head=(-0.24, 0.22, 0.16),
    neck=(-0.03, 0.04, 0.13),
    shoulder_own=(-0.20, 0.00, 0.14),
    shoulder_other=(0.12, -0.02, 0.17),
    chest=(-0.03, -0.14, 0.17),
    chest_own=(-0.13, -0.12, 0.18),
    belly=(-0.03, -0.32, 0.20),
    high=(-0.12, 0.02, 0.34),
    middle=(-0.08, -0.14, 0.36),
    middle_own=(-0.24, -0.13, 0.32),
    middle_other=(0.06, -0.15, 0.33),
    low=(-0.10, -0.28, 0.34),
    wide=(-0.36, -0.10, 0.26),
)
PLACE_NAMES = tuple(_PLACES)
PLACES = np.array(list(_PLACES.values()))  # (P, 3)
HEAD_PLACES = np.array(
    [name in ('forehead', 'temple', 'cheek', 'mouth', 'chin', 'beside_head') for name in PLACE_NAMES]
)
# Places that both hands can take on their own sides without crossing.
OWN_SIDE_PLACES = tuple(
    PLACE_NAMES.index(name) for name in _PLACES if name not in ('shoulder_other', 'middle_other')
)
# Places at which the dominant hand meets the passive one.
BASE_PLACES = tuple(PLACE_NAMES.index(name) for name in ('middle', 'low', 'chest', 'middle_other'))

# Length 1 along a diagonal.
_D = 0.7071
DIRECTIONS = np.array(
    [
        (0, 1, 0),
        (0, -1, 0),
        (-1, 0, 0),
        (1, 0, 0),
        (0, 0, 1),
        (-_D, -_D, 0),
        (_D, -_D, 0),
        (0, -_D, _D),
        (-_D, 0, _D),
        (-_D, _D, 0),
    ],
    dtype=np.float64,
)
# axes of the plane that a circle lies in: frontal, sagittal, level
PLANES = np.array([[(1, 0, 0), (0, 1, 0)], [(0, 1, 0), (0, 0, 1)], [(1, 0, 0), (0, 0, 1)]], dtype=np.float64)

# hands at rest: hanging, in the lap, before the belly, folded; place of the wrist, fingers, palm
_RESTS = (
    ((-0.23, -0.50, 0.06), (0.05, -1.0, 0.05), (1.0, 0.0, -0.2)),
    ((-0.15, -0.44, 0.24), (0.25, -0.1, 1.0), (0.1, -1.0, 0.0)),
    ((-0.13, -0.34, 0.20), (1.0, -0.1, 0.3), (0.1, -0.2, -1.0)),
    ((-0.05, -0.40, 0.22), (0.7, -0.6, 0.3), (0.3, 0.1, -1.0)),
)
REST_PLACES = np.array([place for place, _, _ in _RESTS])  # (R, 3)
REST_ORIENTATIONS = np.stack([frame_quaternion(np.array(y), np.array(z)) for _, y, z in _RESTS])  # (R, 4)
