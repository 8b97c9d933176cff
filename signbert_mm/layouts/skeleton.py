"""Whole skeletons as graphs: the 27 joints of SAM-SLR, and a tree of any layout for spatial-temporal graph
networks.
"""

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
    """Nose, shoulders, elbows, wrists, and of each hand the root, the finger roots and tips (of the thumb the
    tip): Jiang et al., CVPRW 2021.
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
    place = {joint: index for index, joint in enumerate(joints)}
    bones = []
    for side in ('left', 'right'):
        chain = ['nose', f'{side}_shoulder', f'{side}_elbow', f'{side}_wrist', f'{side}_hand_root']
        bones += list(zip(chain[:-1], chain[1:]))
        for finger in FINGERS:
            ends = [name for name in (f'{side}_{finger}1', f'{side}_{finger}4') if name in place]
            bones += list(zip([f'{side}_hand_root'] + ends[:-1], ends))
    pairs = tuple(
        (index, place['right_' + joint[5:]])
        for index, joint in enumerate(joints)
        if joint.startswith('left_')
    )
    # no whole hands
    parts = dict(trunk=tuple(range(7)), left_fingers=tuple(range(7, 17)), right_fingers=tuple(range(17, 27)))
    return Layout(
        'sam_slr_27',
        joints,
        edges=tuple((place[a], place[b]) for a, b in bones),
        parts=parts,
        flip_pairs=pairs,
    )


SAM_SLR_27 = _sam_slr_27()


def skeleton_tree(layout: Layout, centre: str = 'nose') -> Tuple[int, ...]:
    """The parent of each joint in a tree over the layout's bones, breadth first from ``centre``.

    Joints that no bone joins to the centre (the 68 face points of COCO-WholeBody; a hand without arms) hang
    on it directly, the nearest to the body of each group only.

    Args:
        layout (Layout): The joints.
        centre (str): Name of the root; it is its own parent.

    Returns:
        tuple[int]: V places.

    Raises:
        KeyError: The layout has no such joint.
    """
    (root,) = layout.indices([centre])
    neighbours: Dict[int, list] = {joint: [] for joint in range(layout.num_joints)}
    for a, b in layout.edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    parents = {root: root}
    # a group that is not reached begins at its first joint: the layouts put roots first
    for start in (root, *range(layout.num_joints)):
        parents.setdefault(start, root)
        queue = [start]
        while queue:
            joint = queue.pop(0)
            fresh = [other for other in neighbours[joint] if other not in parents]
            parents.update(dict.fromkeys(fresh, joint))
            queue += fresh
    return tuple(parents[joint] for joint in range(layout.num_joints))


def inward_edges(layout: Layout, centre: str = 'nose') -> Tuple[Edge, ...]:
    """The tree's edges as (joint, its parent), what mmaction2's ``Graph`` calls ``inward``."""
    return tuple(
        (joint, parent) for joint, parent in enumerate(skeleton_tree(layout, centre)) if joint != parent
    )
