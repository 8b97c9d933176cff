"""Anatomy of the free hand: where its joints lie, how thick it is there, which way each joint bends.

Lengths here are millimetres with the wrist at 0, in MANO's axes (fingers to -x, back of the hand to +y, thumb
to +z). Bone lengths are those of an adult hand (means over women and men, rounded).
"""

from dataclasses import dataclass
from typing import Tuple

import numpy as np

# The wrist in the asset's own coordinates, near MANO's.
WRIST_PLACE = (95.7, 6.4, 6.2)


def hand(distal: float, dorsal: float, radial: float) -> np.ndarray:
    """A point or direction from its anatomical coordinates."""
    return np.array([-distal, dorsal, radial], dtype=np.float64)


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


@dataclass(frozen=True)
class Finger:
    """One chain of three joints and a tip.

    Args:
        name (str): Finger.
        points (ndarray): Shape (4, 3), its joints and the end of its flesh.
        radii (tuple[float]): Radius of the flesh at each of the four points.
        up (ndarray): Shape (3,), from the finger's axis to its back.
        first (int): Its first joint in MANO's order.
    """

    name: str
    points: np.ndarray
    radii: Tuple[float, ...]
    up: np.ndarray
    first: int

    @property
    def lengths(self) -> np.ndarray:
        return np.linalg.norm(np.diff(self.points, axis=0), axis=1)

    @property
    def starts(self) -> np.ndarray:
        """Arc length of the four points from the first joint: shape (4,)."""
        return np.concatenate([[0.0], np.cumsum(self.lengths)])

    @property
    def directions(self) -> np.ndarray:
        return unit(np.diff(self.points, axis=0))

    def axes(self, bone: int) -> np.ndarray:
        """Flexion, abduction, twist axes of a joint: shape (3, 3), a row each.

        A positive turn bends to the palm, spreads to the thumb's side.
        """
        along = self.directions[bone]
        bend = unit(np.cross(self.up, along))
        return np.stack([bend, np.cross(along, bend), along])

    def at(self, arc: float) -> Tuple[np.ndarray, np.ndarray]:
        """Point and direction at an arc length; the direction turns smoothly over a joint."""
        starts, directions = self.starts, self.directions
        bone = int(np.clip(np.searchsorted(starts, arc, side='right') - 1, 0, 2))
        point = self.points[bone] + (arc - starts[bone]) * directions[bone]
        along = directions[bone]
        for joint in (1, 2):
            # Over 10 mm round a joint, rings turn from one bone's plane to the next.
            blend = np.clip(0.5 + (arc - starts[joint]) / 10.0, 0.0, 1.0)
            if 0.0 < blend < 1.0:
                along = unit((1 - blend) * directions[joint - 1] + blend * directions[joint])
        return point, along


def _straight(
    name: str,
    first: int,
    root: np.ndarray,
    spread: float,
    lengths: Tuple[float, ...],
    radii: Tuple[float, ...],
) -> Finger:
    """A finger ``spread`` degrees towards the thumb, sinking a little more at each joint."""
    points = [root]
    for length, sink in zip(lengths, (1.0, 4.0, 7.0)):
        a, e = np.deg2rad(spread), np.deg2rad(sink)
        points.append(points[-1] + length * hand(np.cos(e) * np.cos(a), -np.sin(e), np.cos(e) * np.sin(a)))
    along = unit(points[1] - points[0])
    up = hand(0, 1, 0)
    # ``up`` at right angles to the first bone.
    return Finger(name, np.stack(points), radii, unit(up - along * (up @ along)), first)


def _thumb() -> Finger:
    points = [hand(20, -7, 22)]
    for length, direction in (
        (45.0, (0.70, -0.30, 0.62)),
        (32.0, (0.82, -0.22, 0.50)),
        (28.0, (0.88, -0.20, 0.40)),
    ):
        points.append(points[-1] + length * unit(hand(*direction)))
    along = unit(points[2] - points[1])
    # The thumb's nail looks up and to the side.
    up = hand(-0.45, 0.55, 0.75)
    return Finger('thumb', np.stack(points), (13.0, 10.6, 9.6, 7.4), unit(up - along * (up @ along)), 13)


# In MANO's order.
FINGERS = (
    _straight('index', 1, hand(90, 1, 24), 5.0, (41.0, 24.0, 23.0), (10.8, 8.9, 7.9, 6.3)),
    _straight('middle', 4, hand(92, 3, 2), 0.0, (45.0, 28.0, 24.0), (11.0, 9.0, 8.0, 6.4)),
    _straight('little', 7, hand(77, -2, -36), -12.0, (33.0, 19.0, 20.5), (9.6, 7.5, 6.7, 5.4)),
    _straight('ring', 10, hand(86, 2, -18), -5.0, (42.0, 27.0, 24.0), (10.5, 8.5, 7.6, 6.1)),
    _thumb(),
)
# From the thumb's side to the other.
LONG_FINGERS = (FINGERS[0], FINGERS[1], FINGERS[3], FINGERS[2])
THUMB = FINGERS[4]


def rest_joints() -> np.ndarray:
    """The 16 joints in MANO's order, wrist at 0: shape (16, 3), millimetres."""
    joints = np.zeros((16, 3))
    for finger in FINGERS:
        joints[finger.first : finger.first + 3] = finger.points[:3]
    return joints
