"""Mapping of one layout's joints to another's, by name."""

from functools import cache
from typing import Tuple

import numpy as np

from ..errors import UserValueError
from .hand import HAND_21, hand_joint_names
from .layout import Layout

# The body's wrist and the hand's root are nearly one point, so each can replace the other.
_STAND_INS = dict(
    left_wrist='left_hand_root',
    right_wrist='right_hand_root',
    left_hand_root='left_wrist',
    right_hand_root='right_wrist',
)


@cache
def _mapping(source: Tuple[str, ...], target: Tuple[str, ...], stand_ins: bool) -> np.ndarray:
    index_of = {joint: index for index, joint in enumerate(source)}
    rows = []
    for joint in target:
        index = index_of.get(joint, -1)
        if index < 0 and stand_ins:
            index = index_of.get(_STAND_INS.get(joint, ''), -1)
        rows.append(index)
    indices = np.asarray(rows, dtype=np.int64)
    # The array is cached and shared by all callers.
    indices.setflags(write=False)
    return indices


def _sided(layout: Layout, side: str) -> Tuple[str, ...]:
    """Joint names; a hand without a side gets the names of ``side``."""
    if not side or layout.joints != HAND_21.joints:
        return layout.joints
    if side not in ('left', 'right'):
        raise UserValueError(f"side must be 'left' or 'right', got {side!r}")
    return hand_joint_names(side)


def layout_mapping(source: Layout, target: Layout, stand_ins: bool = False, side: str = '') -> np.ndarray:
    """Returns the index in ``source`` of each joint of ``target``.

    Args:
        source (Layout): Layout of the data.
        target (Layout): Layout of the model.
        stand_ins (bool): Let a body wrist stand in for a missing hand root, and the reverse.
        side (str): 'left' or 'right': the hand that the joints of hand_21 are. Without it they map to hand_21
            alone.

    Returns:
        ndarray: Shape (target.num_joints,) int64; -1 where ``source`` lacks the joint (its score becomes 0).

    Raises:
        ValueError: The layouts have no joint in common, or ``side`` is not one.
    """
    indices = _mapping(_sided(source, side), _sided(target, side), stand_ins)
    if (indices < 0).all():
        hint = (
            "; say which hand it is: side='left' or 'right'"
            if HAND_21.joints in (source.joints, target.joints) and not side
            else ''
        )
        raise UserValueError(f'layouts {source.name!r} and {target.name!r} have no joint in common{hint}')
    return indices


def map_joints(
    keypoints: np.ndarray, source: Layout, target: Layout, stand_ins: bool = False, side: str = ''
) -> np.ndarray:
    """Converts keypoints from one layout to another.

    Args:
        keypoints (ndarray): Shape (..., source.num_joints, C); joints absent from ``source`` become all 0.
        source, target, stand_ins, side: As for :func:`layout_mapping`.

    Returns:
        ndarray: Shape (..., target.num_joints, C), a copy.

    Raises:
        ValueError: The joint count is not the source layout's, or the layouts share no joint.
    """
    source.check_joints(keypoints.shape[-2], 'map_joints')
    indices = layout_mapping(source, target, stand_ins, side)
    # An absent joint (-1) takes joint 0 here and is zeroed below.
    mapped = np.take(keypoints, np.maximum(indices, 0), axis=-2)
    mapped[..., indices < 0, :] = 0
    return mapped
