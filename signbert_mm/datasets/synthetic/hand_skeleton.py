"""A hand of 21 joints, 15 of which rotate about three axes each.

Right hand, metres. With the hand held up and the palm to the viewer: x towards the thumb, y along the
fingers, z out of the palm. The wrist is the origin. The joint order is COCO-WholeBody's. The skeleton shares
nothing with :mod:`signbert_mm.hand_models`: it has other bones, another rest pose, and joint angles instead
of PCA coefficients.
"""

from typing import List, Tuple

import numpy as np
from numpy import ndarray

# An adult's first joints of thumb, forefinger, middle, ring and little finger from the wrist, metres.
ROOTS = np.array(
    [
        [0.024, 0.026, 0.010],
        [0.026, 0.089, 0.000],
        [0.004, 0.092, -0.002],
        [-0.015, 0.086, 0.000],
        [-0.032, 0.077, 0.005],
    ]
)
# The three bones of each finger from its first joint to its tip, metres.
BONES = np.array(
    [
        [0.045, 0.034, 0.028],
        [0.043, 0.026, 0.021],
        [0.047, 0.030, 0.022],
        [0.044, 0.028, 0.022],
        [0.034, 0.020, 0.019],
    ]
)
# Resting fingers, degrees: a turn about z (positive towards the thumb), then a roll about themselves.
_SPLAY = np.array([48.0, 4.0, 0.0, -4.0, -9.0])
_ROLL = np.array([-62.0, 0.0, 0.0, 3.0, 8.0])
# (finger, joint, axis) in degrees; axis 0 = flexion, 1 = abduction (towards the thumb positive), 2 = twist.
# For the thumb, abduction of its first joint is palmar abduction (out of the palm).
_FINGER_LIMITS = [
    [(-25, 95), (-25, 25), (-12, 12)],
    [(-8, 112), (-6, 6), (-6, 6)],
    [(-12, 85), (-5, 5), (-5, 5)],
]
_THUMB_LIMITS = [
    [(-30, 50), (-40, 50), (-50, 50)],
    [(-15, 65), (-15, 15), (-12, 12)],
    [(-25, 85), (-6, 6), (-6, 6)],
]
# (5, 3, 3, 2)
LIMITS = np.radians(np.array([_THUMB_LIMITS] + 4 * [_FINGER_LIMITS], dtype=np.float64))
# A shared constant: a write in place would change every later hand.
LIMITS.setflags(write=False)

Columns = List[ndarray]


def _rest_frames() -> ndarray:
    a, r = np.radians(-_SPLAY), np.radians(_ROLL)
    zero, one = np.zeros(5), np.ones(5)
    turn = np.array([[np.cos(a), -np.sin(a), zero], [np.sin(a), np.cos(a), zero], [zero, zero, one]])
    roll = np.array([[np.cos(r), zero, np.sin(r)], [zero, one, zero], [-np.sin(r), zero, np.cos(r)]])
    # Roll first, then turn: (3, 3, finger).
    # (3, 3, 5, 1)
    return np.einsum('ijf,jkf->ikf', turn, roll).astype(np.float32)[..., None]


_REST = _rest_frames()


def _local(angles: ndarray) -> Tuple[Columns, Columns, Columns]:
    """Columns of Rz(-abduction) Rx(flexion) Ry(twist), each as three (5, N) arrays.

    ``angles`` is (5, 3 axes, N).
    """
    (sf, sa, st), (cf, ca, ct) = (np.moveaxis(f(angles), 1, 0) for f in (np.sin, np.cos))
    # Columns of Rz Rx; the z entry of the first is 0 and is left out.
    first = [ca, -sa, None]
    middle = [sa * cf, ca * cf, sf]
    last = [-sa * sf, -ca * sf, cf]
    # Ry mixes the first and the last column.
    x = [ct * first[0] - st * last[0], ct * first[1] - st * last[1], -st * last[2]]
    z = [st * first[0] + ct * last[0], st * first[1] + ct * last[1], ct * last[2]]
    return x, middle, z


def hand_joints(angles: ndarray, bones: ndarray, roots: ndarray) -> ndarray:
    """Forward kinematics.

    Args:
        angles (ndarray): Shape (5 fingers, 3 joints, 3 axes, N) float32, radians; all 0 is a flat open hand.
        bones (ndarray): Shape (5, 3, N) float32, metres.
        roots (ndarray): Shape (3 coordinates, 5, N) float32, metres: wrist to the fingers' first joints.

    Returns:
        ndarray: Shape (3, 21, N) float32, metres, wrist at 0.
    """
    joints = np.zeros((3, 21, angles.shape[-1]), dtype=np.float32)
    # One column for each axis, each as three coordinates of shape (5, 1), later (5, N).
    frame = [[_REST[row, column] for row in range(3)] for column in range(3)]
    position = roots
    # Joint 0 is the wrist, at 0; finger f has joints 1 + 4 f to 4 + 4 f.
    joints[:, 1::4] = position
    for level in range(3):
        columns = _local(np.ascontiguousarray(angles[:, level]))
        if level == 2:
            # Nothing follows the last bone, so only its direction is needed.
            columns = (None, columns[1], None)
        frame = [
            None
            if c is None
            else [frame[0][row] * c[0] + frame[1][row] * c[1] + frame[2][row] * c[2] for row in range(3)]
            for c in columns
        ]
        # A bone lies along the y axis of its joint's frame.
        position = position + np.stack(frame[1]) * bones[:, level]
        joints[:, 2 + level :: 4] = position
    return joints
