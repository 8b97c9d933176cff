"""Shape axes, pose correctives and pose axes of the free hand: chosen by anatomy, not learned."""

from typing import Dict, List, Tuple

import numpy as np

from .free_mesh import FreeMesh
from .free_skeleton import FINGERS, unit

# MANO's order of the fingers.
_INDEX, _MIDDLE, _LITTLE, _RING, _THUMB = range(5)
_LONG = (_INDEX, _MIDDLE, _RING, _LITTLE)
_BEND, _SPREAD, _TWIST = range(3)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Outward unit normals, faces weighted by area: shape (V, 3)."""
    corners = vertices[faces]
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(
            normals, faces[:, k], np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        )
    return unit(normals)


def _shares(weights: np.ndarray) -> np.ndarray:
    """How much each finger moves a vertex: shape (V, 5)."""
    return weights[:, 1:].reshape(-1, 5, 3).sum(2)


def shape_axes(mesh: FreeMesh, weights: np.ndarray, arcs: np.ndarray) -> np.ndarray:
    """Displacements in mm for beta = 1, about one standard deviation over adults: shape (V, 3, 10).

    In order: size, palm width, finger length, thickness, thumb length, palm length, index against ring,
    little finger length, bulk of the palm's mounds, outer phalanges against the first.
    """
    points, normals, share = mesh.vertices, vertex_normals(mesh.vertices, mesh.faces), _shares(weights)
    roots = np.stack([finger.points[0] for finger in FINGERS])
    # What is left of a vertex's weights belongs to the palm.
    rest = 1 - share.sum(1)

    def stretch(rates: Dict[int, Tuple[float, float, float]]) -> np.ndarray:
        moved = np.zeros_like(points)
        for f, rate in rates.items():
            finger = FINGERS[f]
            ends = np.append(finger.lengths[:2], np.inf)
            for bone in range(3):
                # A vertex moves with all bones up to it, so a longer bone also shifts the outer ones.
                part = np.clip(arcs[:, f] - finger.starts[bone], 0.0, ends[bone])
                moved += (share[:, f] * part * rate[bone])[:, None] * finger.directions[bone]
        return moved

    def along_axis(axis: int, rate: float) -> np.ndarray:
        """Scales the palm along an axis; fingers ride on their roots."""
        place = np.minimum(points[:, axis], 0.0) if axis == 0 else points[:, axis]
        moved = np.zeros_like(points)
        moved[:, axis] = rate * (rest * place + share @ roots[:, axis])
        return moved

    # Thickness fades out towards the wrist, whose rim keeps its place.
    distal = np.clip(-points[:, 0] / 20.0 + 0.7, 0.0, 1.0)
    # The mounds: skin of the palm that faces down, 38 mm from the wrist joint and 24 mm wide.
    palmar = np.clip(-normals[:, 1], 0.0, 1.0) * np.exp(-(((points[:, 0] + 38) / 24) ** 2)) * (mesh.owner < 0)
    axes = [
        0.055 * points,
        along_axis(2, 0.05),
        stretch(dict.fromkeys(_LONG, (0.045,) * 3)),
        0.8 * normals * distal[:, None],
        stretch({_THUMB: (0.05,) * 3}),
        along_axis(0, 0.04),
        stretch({_INDEX: (0.04,) * 3, _RING: (-0.04,) * 3}),
        stretch({_LITTLE: (0.065,) * 3}),
        1.8 * normals * palmar[:, None],
        stretch(dict.fromkeys(_LONG, (-0.03, 0.05, 0.05))),
    ]
    return np.stack(axes, -1)


def pose_correctives(mesh: FreeMesh, weights: np.ndarray, arcs: np.ndarray) -> np.ndarray:
    """Displacements in mm for each entry of (R - I): shape (V, 3, 135).

    Linear blend skinning thins a bent joint. Knuckles grow back with 1 - cos(angle) = -trace(R - I) / 2, most
    at the back, up to 3 mm at 90 degrees.
    """
    normals, share = vertex_normals(mesh.vertices, mesh.faces), _shares(weights)
    basis = np.zeros((len(normals), 3, 15, 9))
    for f, finger in enumerate(FINGERS):
        facing = normals @ finger.up
        for k in range(3):
            radius = finger.radii[k]
            near = share[:, f] * np.exp(-(((arcs[:, f] - finger.starts[k]) / (0.75 * radius)) ** 2))
            grow = radius * (0.30 * np.clip(facing, 0, 1) + 0.08 * (1 - np.abs(facing)))
            # The thumb's first joint lies inside the palm, where little shows.
            if f == _THUMB and k == 0:
                grow = 0.3 * grow
            # Entries 0, 4, 8 are the diagonal of (R - I).
            basis[:, :, finger.first - 1 + k, (0, 4, 8)] = (-0.5 * (near * grow)[:, None] * normals)[
                ..., None
            ]
    return basis.reshape(len(normals), 3, 135)


# (finger, joint of the finger, kind of turn) -> radians.
Movement = Dict[Tuple[int, int, int], float]


def _long_fingers(bend: Tuple[float, float, float], fingers: Tuple[int, ...] = _LONG) -> Movement:
    return {(f, k, _BEND): amount for f in fingers for k, amount in enumerate(bend)}


def _synergies() -> List[Movement]:
    """Movements of a hand, the commonest first.

    A movement that the earlier ones already span adds no axis; :func:`pose_axes` leaves it out.
    """
    grasp = (1.0, 1.1, 0.7)
    moves: List[Movement] = [
        {**_long_fingers(grasp), (_THUMB, 1, _BEND): 0.3, (_THUMB, 2, _BEND): 0.3},
        {
            (_INDEX, 0, _SPREAD): 1.0,
            (_MIDDLE, 0, _SPREAD): 0.1,
            (_RING, 0, _SPREAD): -0.6,
            (_LITTLE, 0, _SPREAD): -1.0,
        },
        {
            (_THUMB, 0, _BEND): 0.8,
            (_THUMB, 0, _SPREAD): -0.5,
            (_THUMB, 0, _TWIST): 0.4,
            (_THUMB, 1, _BEND): 0.3,
        },
        _long_fingers(grasp, (_INDEX,)),
        _long_fingers(grasp, (_RING, _LITTLE)),
        _long_fingers((1.0, -0.7, -0.5)),
        {(_THUMB, 1, _BEND): 1.0, (_THUMB, 2, _BEND): 1.1},
        _long_fingers(grasp, (_LITTLE,)),
        {(_THUMB, 0, _SPREAD): 1.0},
        _long_fingers((1.0, -0.7, -0.5), (_INDEX,)),
    ]
    moves += [{(f, 0, _SPREAD): 1.0} for f in _LONG]
    moves += [{(_THUMB, 2, _BEND): 1.0}, {(_THUMB, 0, _BEND): 1.0}, {(_THUMB, 0, _TWIST): 1.0}]
    moves += [{(f, k, _BEND): 1.0} for k in range(3) for f in (_INDEX, _MIDDLE, _LITTLE, _RING)]
    moves += [{(_THUMB, 1, _SPREAD): 1.0}, {(_INDEX, 0, _TWIST): 1.0}, {(_LITTLE, 0, _TWIST): 1.0}]
    # Every remaining turn, so that the rows span all 45 dimensions.
    moves += [{(f, k, d): 1.0} for d in (_BEND, _TWIST, _SPREAD) for k in range(3) for f in (*_LONG, _THUMB)]
    return moves


def _axis_angle(move: Movement) -> np.ndarray:
    pose = np.zeros((15, 3))
    for (f, k, turn), amount in move.items():
        pose[3 * f + k] += amount * FINGERS[f].axes(k)[turn]
    return pose.reshape(-1)


def pose_axes() -> np.ndarray:
    """45 orthonormal rows over the axis-angle of joints 1..15, by Gram-Schmidt from the movements above."""
    rows: List[np.ndarray] = []
    for move in _synergies():
        row = unit(_axis_angle(move))
        # One pass leaves rounding errors; two are orthogonal to the last digit.
        for _ in range(2):
            for other in rows:
                row = row - (row @ other) * other
        if np.linalg.norm(row) > 1e-3:
            rows.append(unit(row))
    return np.stack(rows)


def mean_pose() -> np.ndarray:
    """A hand at rest, fingers a little bent: shape (45,), radians."""
    bends = _long_fingers((14.0, 20.0, 12.0))
    bends.update({(_THUMB, 0, _BEND): 4.0, (_THUMB, 1, _BEND): 8.0, (_THUMB, 2, _BEND): 12.0})
    return np.deg2rad(_axis_angle(bends))
