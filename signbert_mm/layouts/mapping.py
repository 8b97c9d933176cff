"""From one layout's joints to another's, by name."""

from functools import cache
from typing import Tuple

import numpy as np

from .layout import Layout

# a joint that a layout lacks is taken from its nearest kin, where there is one
_STAND_INS = dict(
    left_wrist='left_hand_root',
    right_wrist='right_hand_root',
    left_hand_root='left_wrist',
    right_hand_root='right_wrist',
)


@cache
def _mapping(source: Tuple[str, ...], target: Tuple[str, ...], stand_ins: bool) -> np.ndarray:
    place = {joint: index for index, joint in enumerate(source)}
    rows = []
    for joint in target:
        index = place.get(joint, -1)
        if index < 0 and stand_ins:
            index = place.get(_STAND_INS.get(joint, ''), -1)
        rows.append(index)
    indices = np.asarray(rows, dtype=np.int64)
    indices.setflags(write=False)
    return indices


def layout_mapping(source: Layout, target: Layout, stand_ins: bool = False) -> np.ndarray:
    """Where each joint of ``target`` is found in ``source``.

    Args:
        source (Layout): What the data has.
        target (Layout): What the model takes.
        stand_ins (bool): Let a body wrist stand in for a missing hand root and the reverse.

    Returns:
        ndarray: Shape (target.num_joints,) int64; -1 where ``source`` lacks the joint (its score becomes 0: missing).

    Raises:
        ValueError: The layouts have no joint in common.
    """
    indices = _mapping(source.joints, target.joints, stand_ins)
    if (indices < 0).all():
        raise ValueError(f'layouts {source.name!r} and {target.name!r} have no joint in common')
    return indices


def map_joints(keypoints: np.ndarray, source: Layout, target: Layout, stand_ins: bool = False) -> np.ndarray:
    """Keypoints of one layout as another's.

    Args:
        keypoints (ndarray): Shape (..., source.num_joints, C); joints absent from ``source`` become all 0.

    Returns:
        ndarray: Shape (..., target.num_joints, C), a copy.

    Raises:
        ValueError: The joint count is not the source layout's, or the layouts share no joint.
    """
    source.check_joints(keypoints.shape[-2], 'map_joints')
    indices = layout_mapping(source, target, stand_ins)
    mapped = np.take(keypoints, np.maximum(indices, 0), axis=-2)
    mapped[..., indices < 0, :] = 0
    return mapped
