"""The free hand's skin: 778 vertices and 1538 faces, an open sheet with a rim of 16 vertices at the wrist.

The topology is designed by hand: rings round the wrist and palm, a ring of 10 on each finger, one of 12 on
the thumb, a pole on each tip. A solid made of rounded cones gives the shape. A ray from inside to its surface
places each vertex, then palm and thumb root are relaxed on that surface.
"""

from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np

from .free_skeleton import FINGERS, LONG_FINGERS, THUMB, Finger, hand, unit

RIM = 16
# 13 columns on the back, one at the little finger's side, 13 on the palm, one at the thumb's side.
_PALM_RING = 28
_PALM_ROWS = 7
# The rim's distance from the wrist joint in mm, towards the fingers.
_WRIST = -14.0
_RELAX_STEPS, _RELAXED_THUMB_RINGS = 14, 2
# Arc lengths in mm of the thumb's rings.
_THUMB_ARCS = (36.0, 45.0, 53.0, 63.0, 71.0, 77.0, 83.0)
# Rows and columns of the palm that the thumb replaces.
_HOLE_ROWS, _HOLE_COLUMNS = (3, 6), (25, 26, 27, 0)

# Two ends and the radius at each.
Cone = Tuple[np.ndarray, np.ndarray, float, float]


def _distances(points: np.ndarray, cones: Sequence[Cone]) -> np.ndarray:
    """Approximate signed distance of points (..., 3) to each rounded cone: shape (..., cones)."""
    ends = np.stack([cone[0] for cone in cones])
    axes = np.stack([cone[1] for cone in cones]) - ends
    radii = np.array([cone[2:] for cone in cones])
    away = points[..., None, :] - ends
    # Foot of the perpendicular on each axis, 0..1; the radius there is between those of the ends.
    h = np.clip((away * (axes / (axes * axes).sum(1, keepdims=True))).sum(-1), 0.0, 1.0)
    away -= h[..., None] * axes
    return np.sqrt((away * away).sum(-1)) - radii[:, 0] - h * (radii[:, 1] - radii[:, 0])


def _blend(distances: np.ndarray, width: float) -> np.ndarray:
    """Smooth minimum of the last axis over ``width`` mm."""
    low = distances.min(-1)
    return low - width * np.log(np.exp((low[..., None] - distances) / width).sum(-1))


def _finger_cones(finger: Finger) -> List[Cone]:
    ends = finger.points.copy()
    # The last cone ends in a half ball, whose pole is the fingertip.
    ends[3] -= finger.directions[2] * finger.radii[3]
    return [(ends[i], ends[i + 1], finger.radii[i], finger.radii[i + 1]) for i in range(3)]


def _palm_cones() -> List[Cone]:
    cones = [(hand(-40, 0, s * 12), hand(6, -1, s * 13), 16.0, 13.5) for s in (-1, 1)]
    cones += [
        (hand(12, -2, side), f.points[0] - hand(0, 3.0, 0), 11.0, 9.5)
        for f, side in zip(LONG_FINGERS, (14, 5, -6, -15))
    ]
    sunk = hand(0, 2.0, 0)
    cones += [
        (a.at(11)[0] - sunk, b.at(11)[0] - sunk, 7.2, 7.0)
        for a, b in zip(LONG_FINGERS[:-1], LONG_FINGERS[1:])
    ]
    # The little finger's mound, the thumb's mound, the web between thumb and index.
    cones.append((hand(14, -8, -20), hand(62, -7, -35), 11.5, 9.0))
    cones.append((THUMB.points[0] + hand(-4, -1, -5), THUMB.points[1], 13.0, 10.0))
    cones.append((hand(38, -9, 20), hand(66, -4, 26), 11.0, 7.5))
    return cones


_FINGER_CONES = [cone for finger in FINGERS for cone in _finger_cones(finger)]
_PALM_CONES = _palm_cones()


def _palm(points: np.ndarray) -> np.ndarray:
    return _blend(_distances(points, _PALM_CONES), 2.6)


def solid(points: np.ndarray) -> np.ndarray:
    """Approximate signed distance in mm to the hand's surface, negative inside; points (..., 3) in mm."""
    phalanges = _distances(points, _FINGER_CONES)
    # Bones of a finger blend sharply, neighbouring fingers a little wider, fingers and palm widest.
    fingers = _blend(_blend(phalanges.reshape(*phalanges.shape[:-1], 5, 3), 0.6), 0.8)
    return _blend(np.stack([_palm(points), fingers], -1), 1.6)


def _cast(origins: np.ndarray, directions: np.ndarray, surface=solid, reach: float = 45.0) -> np.ndarray:
    """First crossing of the surface from inside along each ray."""
    steps = np.linspace(0.0, reach, 61)
    outside = surface(origins[:, None] + steps[:, None] * directions[:, None]) > 0
    # A ray that never leaves ends at its reach.
    outside[:, -1] = True
    first = np.maximum(outside.argmax(1), 1)
    low, high = steps[first - 1], steps[first]
    # Bisection: 24 halvings of a step of 0.75 mm.
    for _ in range(24):
        mid = 0.5 * (low + high)
        out = surface(origins + mid[:, None] * directions) > 0
        low, high = np.where(out, low, mid), np.where(out, mid, high)
    return origins + (0.5 * (low + high))[:, None] * directions


@dataclass
class FreeMesh:
    """The template's skin before it becomes an asset.

    Args:
        vertices (ndarray): Shape (778, 3), mm.
        faces (ndarray): Shape (1538, 3).
        owner (ndarray): Shape (778,), the finger of each vertex as its index in FINGERS, -1 on the palm.
        tips (tuple[int]): Tip vertices in FINGERS' order.
    """

    vertices: np.ndarray
    faces: np.ndarray
    owner: np.ndarray
    tips: Tuple[int, ...]


class _Builder:
    def __init__(self) -> None:
        self.vertices: List[np.ndarray] = []
        self.owner: List[int] = []
        self.faces: List[Tuple[int, int, int]] = []

    def add(self, points: np.ndarray, owner: int = -1) -> List[int]:
        start = len(self.vertices)
        self.vertices += list(points)
        self.owner += [owner] * len(points)
        return list(range(start, start + len(points)))

    def strip(self, lower: Sequence[int], upper: Sequence[int]) -> None:
        """Joins two closed rings that start at the same angle and may differ in number."""
        n, m, i, j = len(lower), len(upper), 0, 0
        while i < n or j < m:
            # Advance on the ring that lags behind, so that the triangles stay even.
            if j == m or (i < n and (i + 1) * m <= (j + 1) * n and (i * m <= j * n)):
                self.faces.append((lower[i], lower[(i + 1) % n], upper[j % m]))
                i += 1
            else:
                self.faces.append((lower[i % n], upper[(j + 1) % m], upper[j]))
                j += 1

    def fan(self, ring: Sequence[int], pole: int) -> None:
        self.faces += [(a, b, pole) for a, b in zip(ring, list(ring[1:]) + [ring[0]])]


def _ring_directions(finger: Finger, along: np.ndarray, angles: np.ndarray) -> np.ndarray:
    up = unit(finger.up - along * (finger.up @ along))
    # Towards the thumb.
    side = np.cross(up, along)
    return np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * up


def _finger(builder: _Builder, index: int, base: List[int], arcs: Sequence[float], turn: float) -> int:
    """Rings along a finger on top of ``base``, and its pole; returns the pole."""
    finger = FINGERS[index]
    angles = turn + 2 * np.pi * np.arange(len(base)) / len(base)
    ring = base
    for arc in arcs:
        point, along = finger.at(arc)
        upper = builder.add(
            _cast(np.repeat(point[None], len(base), 0), _ring_directions(finger, along, angles)), index
        )
        builder.strip(ring, upper)
        ring = upper
    end = finger.starts[3] - finger.radii[3]
    point, along = finger.at(end)
    # Two rings on the half ball of the tip, then its pole.
    for latitude in (8.0, 50.0):
        lat = np.deg2rad(latitude)
        rays = np.cos(lat) * _ring_directions(finger, along, angles) + np.sin(lat) * along
        upper = builder.add(_cast(np.repeat(point[None], len(base), 0), rays), index)
        builder.strip(ring, upper)
        ring = upper
    pole = builder.add(_cast(point[None], along[None]), index)[0]
    builder.fan(ring, pole)
    return pole


def _column(q: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Place across the palm and angle of the ray in radians, at positions ``q`` round a palm ring.

    The place is 0 at the thumb's side and 12 at the little finger's.
    """
    index = np.arange(_PALM_RING + 1)
    across = np.concatenate([np.arange(13), [12], np.arange(12, -1, -1), [0, 0]]).astype(float)
    # Rays stand upright in the middle of the palm and lean outwards at its sides.
    lean = np.array([36, 62, 78] + [90] * 7 + [102, 118, 144], dtype=float)
    angle = np.concatenate([lean, [180], 360 - lean[::-1], [360, 396]])
    return np.interp(q, index, across), np.deg2rad(np.interp(q, index, angle))


def _palm_path(across: np.ndarray, s: float) -> np.ndarray:
    """Points inside the palm, ``s`` from 0 (rim) to 1 (webs)."""
    columns = np.arange(13)
    axes = [finger.at(20.0)[0] for finger in LONG_FINGERS]
    roots = [finger.points[0] for finger in LONG_FINGERS]
    ends, knuckles = [], []
    for column in columns:
        # Three columns a finger: one between two fingers, two beside the finger's axis.
        f, r = divmod(min(column, 11), 3)
        r += column == 12
        for points, out in ((axes, ends), (roots, knuckles)):
            if 0 < column < 12 and r == 0:
                out.append(0.5 * (points[f - 1] + points[f]))
            else:
                side = {0: 3.5, 1: 2.5, 2: -2.5, 3: -3.5}[r]
                out.append(points[f] + hand(0, 0, side))
    wrist = np.stack([hand(_WRIST, 0, 13 - 26 * c / 12) for c in columns])
    paths = np.stack([wrist, np.stack(knuckles), np.stack(ends)])
    breaks = np.array([0.0, 0.82, 1.0])
    path = np.stack([[np.interp(s, breaks, paths[:, c, k]) for k in range(3)] for c in columns])
    return np.stack([np.interp(across, columns, path[:, k]) for k in range(3)], -1)


def _palm_ring(s: float, count: int) -> np.ndarray:
    across, angle = _column(np.arange(count) * _PALM_RING / count)
    directions = np.cos(angle)[:, None] * hand(0, 0, 1) + np.sin(angle)[:, None] * hand(0, 1, 0)
    return _cast(_palm_path(across, s), directions, _palm)


def _web_row(builder: _Builder) -> Tuple[List[int], List[List[int]]]:
    """The last palm ring, and the base ring of each long finger. Neighbours share the column of their web."""
    across, angle = _column(np.arange(_PALM_RING, dtype=float))
    origins = _palm_path(across, 1.0)
    directions = np.cos(angle)[:, None] * hand(0, 0, 1) + np.sin(angle)[:, None] * hand(0, 1, 0)
    middles = []
    for gap, (a, b) in enumerate(zip(LONG_FINGERS[:-1], LONG_FINGERS[1:])):
        inside = 0.5 * (a.at(9.0)[0] + b.at(9.0)[0]) - hand(0, 2, 0)
        forward = unit(a.directions[0] + b.directions[0])
        # Columns q of back and palm meet between two fingers. Their rays tilt up and down from there.
        for q, tilt in ((3 + 3 * gap, 1.0), (23 - 3 * gap, -1.0)):
            origins[q], directions[q] = inside, unit(forward + tilt * hand(0, 1.0, 0))
        middles.append(_cast(inside[None], forward[None])[0])
    ring = builder.add(_cast(origins, directions))
    web = [ring[27]] + builder.add(np.stack(middles)) + [ring[13]]
    bases = []
    for f in range(4):
        back = ring[3 * f : 3 * f + 4]
        front = [ring[26 - c] for c in range(3 * f + 3, 3 * f - 1, -1)]
        bases.append(back + [web[f + 1]] + front + [web[f]])
    return ring, bases


def _finger_arcs(finger: Finger) -> List[float]:
    _, one, two, _ = finger.starts
    first = max(0.72 * one, 26.0 if one > 36 else 24.5)
    return [first, one - 5, one, one + 5, 0.5 * (one + two), two - 4.2, two, two + 4.2]


def build_free_mesh() -> FreeMesh:
    """The template's skin."""
    builder = _Builder()
    count = _PALM_ROWS + 2
    rows = [builder.add(_palm_ring(0.0, RIM)), builder.add(_palm_ring(1 / count, 26))]
    rows += [builder.add(_palm_ring(k / count, _PALM_RING)) for k in range(2, count)]
    web, bases = _web_row(builder)
    rows.append(web)
    for lower, upper in zip(rows[:-1], rows[1:]):
        builder.strip(lower, upper)

    tips = {}
    order = [FINGERS.index(finger) for finger in LONG_FINGERS]
    for index, base in zip(order, bases):
        tips[index] = _finger(builder, index, base, _finger_arcs(FINGERS[index]), np.deg2rad(36))
    tips[4] = _thumb(builder, rows)
    return _finish(builder, rows[0], tuple(tips[i] for i in range(5)))


def _thumb(builder: _Builder, rows: List[List[int]]) -> int:
    """Cuts the thumb's hole into the palm and lays its rings on the rim."""
    first, last = _HOLE_ROWS
    columns = list(_HOLE_COLUMNS)
    patch = {rows[r][c] for r in range(first, last + 1) for c in columns}
    builder.faces = [face for face in builder.faces if not set(face) <= patch]
    # The hole's rim, in the direction of the rings: from the thumb's side over the back to the palm.
    loop = [rows[first][c] for c in columns] + [rows[r][columns[-1]] for r in range(first + 1, last)]
    loop += [rows[last][c] for c in reversed(columns)] + [
        rows[r][columns[0]] for r in range(last - 1, first, -1)
    ]
    places = np.stack([builder.vertices[i] for i in loop])
    point, along = THUMB.at(_THUMB_ARCS[0])
    step = 2 * np.pi / len(loop)
    # The rim must turn the same way round the thumb as its rings.
    if (np.cross(places - places.mean(0), np.roll(places, -1, 0) - places.mean(0)).sum(0) @ along) < 0:
        loop, places = loop[::-1], places[::-1]
    # Of 120 starting angles, the one that twists the first strip of faces least.
    turns = np.deg2rad(np.arange(0, 360, 3))
    misses = [
        (
            (point + 12 * _ring_directions(THUMB, along, turn + step * np.arange(len(loop))) - places) ** 2
        ).sum()
        for turn in turns
    ]
    return _finger(builder, 4, loop, _THUMB_ARCS, turns[int(np.argmin(misses))])


def neighbours(count: int, faces: np.ndarray) -> np.ndarray:
    """Averaging over the vertices that share an edge: shape (count, count), rows sum to 1."""
    near = np.zeros((count, count))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        near[faces[:, a], faces[:, b]] = near[faces[:, b], faces[:, a]] = 1
    return near / near.sum(1, keepdims=True)


def _onto_surface(points: np.ndarray) -> np.ndarray:
    step = 1e-3 * np.eye(3)
    for _ in range(2):
        # One Newton step along the gradient, which central differences give.
        value = solid(points)
        slope = np.stack([solid(points + e) - solid(points - e) for e in step], -1) / 2e-3
        points = points - np.clip(value / np.maximum((slope**2).sum(-1), 0.2), -3, 3)[:, None] * slope
    return points


def _finish(builder: _Builder, rim: Sequence[int], tips: Tuple[int, ...]) -> FreeMesh:
    """Drops the vertices inside the thumb's hole and relaxes palm and thumb root on the surface."""
    faces = np.array(builder.faces)
    used = np.unique(faces)
    new_index = np.full(len(builder.vertices), -1)
    new_index[used] = np.arange(len(used))
    vertices, owner, faces = np.stack(builder.vertices)[used], np.array(builder.owner)[used], new_index[faces]
    thumb_root = np.flatnonzero(owner == 4)[: _RELAXED_THUMB_RINGS * 12]
    free = np.union1d(np.flatnonzero(owner == -1), thumb_root)
    # The wrist's rim and the fingers stay as they were built.
    free = np.setdiff1d(free, new_index[list(rim)])
    near = neighbours(len(vertices), faces)
    for _ in range(_RELAX_STEPS):
        vertices[free] = _onto_surface(0.5 * vertices[free] + 0.5 * (near[free] @ vertices))
    return FreeMesh(vertices, faces, owner, tuple(int(new_index[tip]) for tip in tips))
