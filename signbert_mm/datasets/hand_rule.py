"""The rule by which a hand counts as detected, shared by the crop, stores and inference."""

from typing import Optional, Tuple

import numpy as np

from ..layouts import Layout

# The defaults of HandCrop.
JOINT_THRESHOLD, MIN_JOINTS, ARM_THRESHOLD = 0.1, 10, 0.8
ARMS = (('left_shoulder', 'left_elbow', 'left_wrist'), ('right_shoulder', 'right_elbow', 'right_wrist'))
HAND_RULES = ('box', 'any')


def arm_joints(layout: Layout) -> Optional[Tuple[Tuple[int, ...], ...]]:
    """Shoulder, elbow and wrist of the left and the right arm; None where the layout lacks one of them."""
    return (
        tuple(layout.indices(arm) for arm in ARMS)
        if all(joint in layout.joints for arm in ARMS for joint in arm)
        else None
    )


def hand_joints(layout: Layout) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """Joints of the left and the right hand, () for a hand that the layout lacks.

    A layout of a single hand counts as a right hand. A layout may have some joints of a hand alone, as
    'sam_slr_27' has.
    """
    if layout.name == 'hand_21':
        return (), tuple(range(layout.num_joints))
    parts = layout.parts
    left, right = (parts.get(f'{side}_hand', parts.get(f'{side}_fingers', ())) for side in ('left', 'right'))
    return tuple(left), tuple(right)


def hands_found(scores: np.ndarray, layout: Layout, rule: str = 'box') -> np.ndarray:
    """Decides for each frame and hand whether the hand is detected.

    Args:
        scores (ndarray): Shape (T, V) in [0, 1].
        layout (Layout): Of the V joints.
        rule (str): 'box': :class:`~signbert_mm.datasets.transforms.HandCrop` with its defaults finds a box.
            That takes at least 10 joints above 0.1 (half of them, where the layout has fewer than 20 a hand),
            or shoulder, elbow and wrist above 0.8 and a joint above 0.1. 'any': a joint has a score above 0,
            the rule of older stores. Both agree for an extractor that gives a hand completely or not at all,
            as MediaPipe does.

    Returns:
        ndarray: Shape (T, 2) bool, left and right.
    """
    detected = np.zeros((len(scores), 2), dtype=bool)
    arms = arm_joints(layout) if rule == 'box' else None
    for side, joints in enumerate(hand_joints(layout)):
        if not joints:
            continue
        hand = scores[:, list(joints)]
        if rule == 'any':
            detected[:, side] = (hand > 0).any(-1)
            continue
        # The same two conditions as in HandCrop.__call__, in numpy.
        confident = (hand > JOINT_THRESHOLD).sum(-1)
        detected[:, side] = confident >= min(MIN_JOINTS, -(-len(joints) // 2))
        if arms is not None:
            detected[:, side] |= (confident > 0) & (scores[:, list(arms[side])] > ARM_THRESHOLD).all(-1)
    return detected
