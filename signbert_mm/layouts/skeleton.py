"""Skeletons as graphs for spatial-temporal graph networks: SAM-SLR's 27 joints, and trees of layouts."""

from typing import Dict, Tuple

from .body import TRUNK_JOINTS
from .hand import FINGERS
from .layout import Edge, Layout

_TIPS = (
    'thumb4',
    'forefinger1',
    'forefinger4',
    'middle_finger1',
    'middle_finger4',
    'ring_finger1',
    'ring_finger4',
    'pinky_finger1',
    'pinky_finger4',
)


def _sam_slr_27() -> Layout:
    """The 27 joints of Jiang et al., CVPRW 2021.

    They are nose, shoulders, elbows, wrists, and of each hand the root, the finger roots and tips (of the
    thumb the tip alone).
    """
    arms = (
        'nose',
        'left_shoulder',
        'right_shoulder',
        'left_elbow',
        'right_elbow',
        'left_wrist',
        'right_wrist',
    )
    assert set(arms) == set(TRUNK_JOINTS)
    joints = arms + tuple(f'{side}_{name}' for side in ('left', 'right') for name in ('hand_root',) + _TIPS)
    index_of = {joint: index for index, joint in enumerate(joints)}
    bones = []
    for side in ('left', 'right'):
        chain = ['nose', f'{side}_shoulder', f'{side}_elbow', f'{side}_wrist', f'{side}_hand_root']
        bones += list(zip(chain[:-1], chain[1:]))
        for finger in FINGERS:
            ends = [name for name in (f'{side}_{finger}1', f'{side}_{finger}4') if name in index_of]
            bones += list(zip([f'{side}_hand_root'] + ends[:-1], ends))
    pairs = tuple(
        (index, index_of['right_' + joint[5:]])
        for index, joint in enumerate(joints)
        if joint.startswith('left_')
    )
    # No parts named left_hand and right_hand: those must have all 21 joints.
    parts = dict(trunk=tuple(range(7)), left_fingers=tuple(range(7, 17)), right_fingers=tuple(range(17, 27)))
    return Layout(
        'sam_slr_27',
        joints,
        edges=tuple((index_of[a], index_of[b]) for a, b in bones),
        parts=parts,
        flip_pairs=pairs,
    )


SAM_SLR_27 = _sam_slr_27()


def skeleton_tree(layout: Layout, centre: str = 'nose') -> Tuple[int, ...]:
    """The parent of each joint in a tree over the bones, breadth first from ``centre``.

    A group of joints that no bones connect to the centre (a face point of COCO-WholeBody, a hand without an
    arm) is attached to it by its first joint.

    Args:
        layout (Layout): The joints.
        centre (str): Name of the root; it is its own parent.

    Returns:
        tuple[int]: V joint indices.

    Raises:
        KeyError: The layout has no joint ``centre``.
    """
    (root,) = layout.indices([centre])
    neighbours: Dict[int, list] = {joint: [] for joint in range(layout.num_joints)}
    for a, b in layout.edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    parents = {root: root}
    # An unconnected group starts at its first joint, since layouts list roots first.
    for start in (root, *range(layout.num_joints)):
        parents.setdefault(start, root)
        queue = [start]
        while queue:
            joint = queue.pop(0)
            new = [other for other in neighbours[joint] if other not in parents]
            parents.update(dict.fromkeys(new, joint))
            queue += new
    return tuple(parents[joint] for joint in range(layout.num_joints))


def inward_edges(layout: Layout, centre: str = 'nose') -> Tuple[Edge, ...]:
    """The tree's edges as (joint, its parent), called ``inward`` in mmaction2's ``Graph``."""
    return tuple(
        (joint, parent) for joint, parent in enumerate(skeleton_tree(layout, centre)) if joint != parent
    )
