"""The 21 joints of a hand, in the order of COCO-WholeBody, MediaPipe and OpenPose."""

from typing import Dict, Tuple

from .layout import Edge, Layout

FINGERS = ('thumb', 'forefinger', 'middle_finger', 'ring_finger', 'pinky_finger')
NUM_HAND_JOINTS = 21


def hand_joint_names(side: str = '') -> Tuple[str, ...]:
    """Names ``hand_root``, ``thumb1`` to ``thumb4``, ``forefinger1``, and so on.

    With a ``side`` each begins with ``left_`` or ``right_``.
    """
    prefix = f'{side}_' if side else ''
    return (f'{prefix}hand_root',) + tuple(
        f'{prefix}{finger}{knuckle}' for finger in FINGERS for knuckle in (1, 2, 3, 4)
    )


def hand_edges(start: int = 0, root: int = 0) -> Tuple[Edge, ...]:
    """The 20 bones of a hand with its wrist at joint ``root`` and the other joints after ``start``."""
    edges = []
    for finger in range(5):
        # From the wrist to the tip: four joints for each finger.
        chain = [root] + [start + 1 + 4 * finger + knuckle for knuckle in range(4)]
        edges += list(zip(chain[:-1], chain[1:]))
    return tuple(edges)


def hand_symmetric_edges(start: int = 0) -> Tuple[Edge, ...]:
    """The 16 edges between the same joint of neighbouring fingers (SignBERT section 3.1).

    Which joints are connected is not given in the paper.
    """
    return tuple(
        (start + 1 + 4 * finger + knuckle, start + 5 + 4 * finger + knuckle)
        for finger in range(4)
        for knuckle in range(4)
    )


def hand_parts(start: int = 0) -> Dict[str, Tuple[int, ...]]:
    """Six parts: five fingers of four joints, and the palm (wrist and finger roots)."""
    parts = {
        finger: tuple(start + 1 + 4 * index + knuckle for knuckle in range(4))
        for index, finger in enumerate(FINGERS)
    }
    parts['palm'] = (start,) + tuple(start + 1 + 4 * index for index in range(5))
    return parts


def both_hands(left: int, right: int) -> dict:
    """Edges, parts and flip pairs of two hands that begin at joints ``left`` and ``right``."""
    return dict(
        edges=hand_edges(left, left) + hand_edges(right, right),
        symmetric_edges=hand_symmetric_edges(left) + hand_symmetric_edges(right),
        flip_pairs=tuple((left + joint, right + joint) for joint in range(NUM_HAND_JOINTS)),
        parts=dict(
            left_hand=tuple(range(left, left + NUM_HAND_JOINTS)),
            right_hand=tuple(range(right, right + NUM_HAND_JOINTS)),
        ),
    )


HAND_21 = Layout('hand_21', hand_joint_names(), hand_edges(), hand_symmetric_edges(), hand_parts())
_HANDS = both_hands(0, NUM_HAND_JOINTS)
HANDS_42 = Layout('hands_42', hand_joint_names('left') + hand_joint_names('right'), **_HANDS)
