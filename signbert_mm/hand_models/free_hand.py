"""The generator of the free hand: an asset of MANO's form made from anatomy, free to ship.

Nothing in it is measured or learned: bone lengths are those of an adult hand, shape and pose axes are chosen
(see :mod:`.free_bases`).

The package ships one result, ``data/free_hand.npz``, and :func:`.load_hand_asset` reads that file. Only
``tools/misc/make_free_hand.py`` and the tests run this module, since its last bits depend on the processor.
"""

from typing import Sequence

import numpy as np

from .asset import HandAsset
from .free_bases import mean_pose, pose_axes, pose_correctives, shape_axes
from .free_mesh import FreeMesh, build_free_mesh, neighbours
from .free_skeleton import FINGERS, LONG_FINGERS, THUMB, WRIST_PLACE, hand, rest_joints

# Half the length in mm over which the skin passes from one bone to the next, for each finger's three joints.
_HALF_WIDTHS = ((11.0, 6.5, 5.5),) * 4 + ((9.0, 8.0, 7.0),)
# Passes of smoothing over the palm's weights.
_SMOOTHING = 3
_MAX_JOINTS = 4
# The rings at a joint lie in the plane between its two bones, so a vertex there is as near to one bone as to
# the other. It goes to the bone nearer the wrist. These ten go to the other, as in the shipped hand, whose
# hash many checkpoints hold. Distances within _TIED mm are equal.
_TIED = 1e-6
TIES_TO_OUTER_BONE = (291, 293, 332, 393, 496, 594, 596, 634, 635, 739)


def smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def arc_lengths(points: np.ndarray, outer: Sequence[int] = TIES_TO_OUTER_BONE) -> np.ndarray:
    """How far along each finger a vertex lies: shape (V, 5), mm.

    Counted from the finger's first joint, negative before it.

    ``outer`` names the vertices that go to the outer one of two bones that are equally near.
    """
    arcs = np.zeros((len(points), len(FINGERS)))
    rows = np.arange(len(points))
    to_outer = np.isin(rows, outer)
    for f, finger in enumerate(FINGERS):
        along = np.stack([(points - finger.points[b]) @ finger.directions[b] for b in range(3)], -1)
        # The first bone extends without end towards the wrist, the last one beyond the tip.
        low = np.array([-np.inf, 0.0, 0.0])
        high = np.append(finger.lengths[:2], np.inf)
        clamped = np.clip(along, low, high)
        nearest = finger.points[:3] + clamped[..., None] * finger.directions
        away = np.linalg.norm(points[:, None] - nearest, axis=-1)
        tied = away <= away.min(1, keepdims=True) + _TIED
        # The first or the last of the bones that tie.
        bone = np.where(to_outer, 2 - tied[:, ::-1].argmax(1), tied.argmax(1))
        arcs[:, f] = clamped[rows, bone] + finger.starts[bone]
    return arcs


def _segment_distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    axis = b - a
    h = np.clip((points - a) @ axis / (axis @ axis), 0.0, 1.0)
    return np.linalg.norm(points - a - h[:, None] * axis, axis=-1)


def _pull(mesh: FreeMesh) -> np.ndarray:
    """How much each finger owns a vertex, whichever of its joints moves it: shape (V, 5).

    Rows sum to 1 at most. The wrist owns the rest.
    """
    points = mesh.vertices
    own = np.zeros((len(points), 5))
    palm = mesh.owner < 0
    columns = [FINGERS.index(finger) for finger in LONG_FINGERS]
    sideways = np.zeros((len(points), len(LONG_FINGERS)))
    # Distance across the palm from the line that continues the finger's first bone.
    for i, finger in enumerate(LONG_FINGERS):
        lean = finger.directions[0][2] / finger.directions[0][0]
        sideways[:, i] = points[:, 2] - finger.points[0][2] - lean * (points[:, 0] - finger.points[0][0])
    share = np.exp(-((sideways / 9.0) ** 2))
    share[~palm] = 0
    own[:, columns] = share / np.maximum(share.sum(1, keepdims=True), 1e-9)
    # The thumb takes its mound: palm vertices nearer to its first bone than to the index finger's line.
    index = _segment_distance(points, hand(12, -2, 12), FINGERS[0].points[0])
    thumb = _segment_distance(points, THUMB.points[0], THUMB.points[1])
    mound = palm * smoothstep((index - thumb + 8.0) / 22.0)
    own *= (1 - mound)[:, None]
    own[:, 4] = mound
    # Vertices built as part of a finger belong to it alone.
    for f in range(5):
        own[mesh.owner == f] = np.eye(5)[f]
    return own


def skinning_weights(mesh: FreeMesh, arcs: np.ndarray) -> np.ndarray:
    """Linear blend weights: shape (V, 16), at most four joints a vertex."""
    own = _pull(mesh)
    weights = np.zeros((len(mesh.vertices), 16))
    for f, finger in enumerate(FINGERS):
        past = [
            smoothstep(0.5 + (arcs[:, f] - finger.starts[k]) / (2 * _HALF_WIDTHS[f][k])) for k in range(3)
        ]
        # Passing one joint after another moves the weight to the outer bones. The three sum to own * past[0].
        weights[:, finger.first] = own[:, f] * past[0] * (1 - past[1])
        weights[:, finger.first + 1] = own[:, f] * past[0] * past[1] * (1 - past[2])
        weights[:, finger.first + 2] = own[:, f] * past[0] * past[1] * past[2]
    weights[:, 0] = 1 - weights.sum(1)
    # The fingers' shares meet in creases on the palm.
    near = neighbours(len(weights), mesh.faces)
    palm = mesh.owner < 0
    for _ in range(_SMOOTHING):
        weights[palm] = 0.5 * weights[palm] + 0.5 * (near[palm] @ weights)
    # Four joints a vertex are the usual limit of renderers. The smaller weights go.
    least = np.sort(weights, axis=1)[:, -_MAX_JOINTS][:, None]
    weights = np.where((weights >= least) & (weights > 1e-3), weights, 0.0)
    return weights / weights.sum(1, keepdims=True)


def joint_regressor(mesh: FreeMesh) -> np.ndarray:
    """Weights of nearby vertices that give each joint exactly, the smallest such: shape (16, V)."""
    regressor = np.zeros((16, len(mesh.vertices)))
    for j, joint in enumerate(rest_joints()):
        # A finger's first joint lies under palm skin too; the others look at their own finger alone.
        finger = -1 if j == 0 else (j - 1) // 3
        first = j == 0 or (j - 1) % 3 == 0
        allowed = (mesh.owner == finger) | ((mesh.owner < 0) & first)
        away = mesh.vertices - joint
        reach = 16.0 if first else 8.0
        near = allowed * np.exp(-((away / reach) ** 2).sum(1) / 2)
        near[near < 1e-2] = 0
        # Weighted least squares: the weights sum to 1 and their mean offset from the joint is 0.
        rows = np.concatenate([np.ones((len(away), 1)), away], 1)
        regressor[j] = near * (rows @ np.linalg.solve(rows.T @ (near[:, None] * rows), np.eye(4)[0]))
    return regressor


def generate_free_hand(outer: Sequence[int] = TIES_TO_OUTER_BONE) -> HandAsset:
    """Computes the free asset: the shipped numbers to 1e-9 (metres), 1e-8 (weights), on any processor.

    Args:
        outer (Sequence[int]): Vertices that go to the outer one of two bones that are equally near. Older
            builds chose among 634, 734 and 736 differently.
    """
    mesh = build_free_mesh()
    arcs = arc_lengths(mesh.vertices, outer)
    weights = skinning_weights(mesh, arcs)
    tips = dict(zip((finger.name for finger in FINGERS), mesh.tips))
    return HandAsset(
        template=(mesh.vertices + hand(-WRIST_PLACE[0], WRIST_PLACE[1], WRIST_PLACE[2])) / 1000,
        faces=mesh.faces,
        joint_regressor=joint_regressor(mesh),
        skinning=weights,
        shape_basis=shape_axes(mesh, weights, arcs) / 1000,
        pose_basis=pose_correctives(mesh, weights, arcs) / 1000,
        pca=pose_axes(),
        mean=mean_pose(),
        tip_ids=tuple(tips[name] for name in ('thumb', 'index', 'middle', 'ring', 'little')),
        name='free',
        source='free hand',
    )
