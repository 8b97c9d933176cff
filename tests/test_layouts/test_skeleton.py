import numpy as np
import pytest

from signbert_mm.layouts import get_layout, layout_mapping
from signbert_mm.layouts.skeleton import inward_edges, skeleton_tree


def test_sam_slr_is_the_published_choice_of_joints():
    found = layout_mapping(get_layout('coco_wholebody_133'), get_layout('sam_slr_27'))
    hand = [0, 4, 5, 8, 9, 12, 13, 16, 17, 20]
    assert found.tolist() == [0, 5, 6, 7, 8, 9, 10] + [91 + joint for joint in hand] + [
        112 + joint for joint in hand
    ]


def test_sam_slr_mirror():
    layout = get_layout('sam_slr_27')
    swapped = [layout.joints[index] for index in layout.flip_order]
    assert swapped == [
        name.replace('left_', '?').replace('right_', 'left_').replace('?', 'right_') for name in layout.joints
    ]


@pytest.mark.parametrize(
    'name', ['sign_49', 'sam_slr_27', 'coco_wholebody_133', 'mediapipe_holistic', 'openpose', 'trunk_7']
)
def test_every_joint_reaches_the_centre(name):
    layout = get_layout(name)
    parents = skeleton_tree(layout)
    root = layout.joints.index('nose')
    assert parents[root] == root
    for joint in range(layout.num_joints):
        steps = 0
        while joint != root:
            joint, steps = parents[joint], steps + 1
            assert steps < layout.num_joints
    edges = inward_edges(layout)
    assert len(edges) == layout.num_joints - 1 and all(parents[joint] == parent for joint, parent in edges)


def test_the_tree_follows_bones():
    layout = get_layout('sign_49')
    bones = {frozenset(edge) for edge in layout.edges}
    assert all(frozenset(edge) in bones for edge in inward_edges(layout))
    chain, joint = [], 'left_forefinger2'
    while joint != 'nose':
        joint = layout.joints[skeleton_tree(layout)[layout.joints.index(joint)]]
        chain.append(joint)
    assert chain == [
        'left_forefinger1',
        'left_hand_root',
        'left_wrist',
        'left_elbow',
        'left_shoulder',
        'nose',
    ]


def test_joints_without_bones_hang_on_the_centre():
    layout = get_layout('coco_wholebody_133')
    assert np.array(skeleton_tree(layout))[list(layout.parts['face'])].tolist() == [0] * 68


def test_a_centre_that_is_not_there():
    with pytest.raises(KeyError, match='nose'):
        skeleton_tree(get_layout('hands_42'))
    # the other hand hangs on it by its root
    assert skeleton_tree(get_layout('hands_42'), 'left_hand_root')[21] == 0
