import numpy as np
import pytest

from signbert_mm.layouts import LAYOUTS, Layout, get_layout, layout_mapping, map_joints

NAMES = sorted(LAYOUTS)
PAIRS = [(a, b) for a in NAMES for b in NAMES]


def expected_indices(source, target, stand_ins):
    pairs = {('left_wrist', 'left_hand_root'), ('right_wrist', 'right_hand_root')}
    rows = []
    for joint in target.joints:
        names = [joint] + [
            other for pair in pairs if joint in pair for other in pair if other != joint
        ] * stand_ins
        rows.append(next((source.joints.index(name) for name in names if name in source.joints), -1))
    return rows


@pytest.mark.parametrize('stand_ins', [False, True])
@pytest.mark.parametrize('source, target', PAIRS)
def test_every_pair_maps_by_name(source, target, stand_ins):
    source, target = get_layout(source), get_layout(target)
    expected = expected_indices(source, target, stand_ins)
    if max(expected) < 0:
        with pytest.raises(ValueError, match=f"'{source.name}' and '{target.name}' have no joint in common"):
            layout_mapping(source, target, stand_ins)
        return
    indices = layout_mapping(source, target, stand_ins)
    assert indices.dtype == np.int64 and indices.tolist() == expected
    keypoints = np.random.RandomState(0).rand(2, 3, source.num_joints, 3).astype(np.float32) + 1
    kept = keypoints.copy()
    mapped = map_joints(keypoints, source, target, stand_ins)
    assert mapped.shape == (2, 3, target.num_joints, 3) and mapped.dtype == np.float32
    for place, index in enumerate(expected):
        np.testing.assert_array_equal(mapped[:, :, place], 0 if index < 0 else keypoints[:, :, index])
    mapped += 1  # a copy, even where nothing changes place
    np.testing.assert_array_equal(keypoints, kept)


def test_known_places():
    coco, sign = get_layout('coco_wholebody_133'), get_layout('sign_49')
    assert layout_mapping(coco, sign).tolist() == [*range(91, 133), 0, 5, 7, 9, 6, 8, 10]
    assert layout_mapping(get_layout('mediapipe_holistic'), sign).tolist() == [
        *range(33, 75),
        0,
        11,
        13,
        15,
        12,
        14,
        16,
    ]
    assert layout_mapping(get_layout('openpose'), sign).tolist() == [*range(25, 67), 0, 5, 6, 7, 2, 3, 4]
    assert layout_mapping(get_layout('hands_42'), sign).tolist() == [*range(42)] + [-1] * 7
    assert layout_mapping(get_layout('hands_42'), sign, stand_ins=True).tolist() == [
        *range(42),
        -1,
        -1,
        -1,
        0,
        -1,
        -1,
        21,
    ]


def test_a_round_trip_keeps_what_both_have():
    coco, sign = get_layout('coco_wholebody_133'), get_layout('sign_49')
    keypoints = np.random.RandomState(0).rand(5, 49, 3)
    np.testing.assert_array_equal(map_joints(map_joints(keypoints, sign, coco), coco, sign), keypoints)


def test_a_hand_without_a_side_has_nothing_in_common_with_a_body():
    with pytest.raises(ValueError, match="'coco_wholebody_133' and 'hand_21' have no joint in common"):
        layout_mapping(get_layout('coco_wholebody_133'), get_layout('hand_21'))


def test_a_wrong_count_names_both():
    with pytest.raises(ValueError, match=r"132 joints found.*'coco_wholebody_133' has 133"):
        map_joints(np.zeros((4, 132, 3)), get_layout('coco_wholebody_133'), get_layout('sign_49'))


def test_the_mapping_cannot_be_written_to():
    with pytest.raises(ValueError, match='read-only'):
        layout_mapping(get_layout('coco_wholebody_133'), get_layout('sign_49'))[0] = 3


def test_layouts_that_are_not_registered_map_too():
    mine = Layout('mine', ('right_wrist', 'nose', 'hat'))
    assert layout_mapping(get_layout('trunk_7'), mine).tolist() == [6, 0, -1]
    assert layout_mapping(Layout('mine', ('nose',)), mine).tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    'name', ['coco_wholebody_133', 'mediapipe_holistic', 'openpose', 'hands_42', 'sign_49']
)
@pytest.mark.parametrize('side', ['left', 'right'])
def test_a_hand_maps_with_its_side(name, side):
    layout, hand = get_layout(name), get_layout('hand_21')
    assert layout_mapping(layout, hand, side=side).tolist() == list(layout.parts[f'{side}_hand'])
    keypoints = np.random.RandomState(0).rand(4, 21, 3)
    there = map_joints(keypoints, hand, layout, side=side)
    assert (
        np.array_equal(there[:, list(layout.parts[f'{side}_hand'])], keypoints)
        and there.astype(bool).sum() == keypoints.size
    )
    assert np.array_equal(map_joints(there, layout, hand, side=side), keypoints)


def test_a_hand_without_its_side_says_so():
    with pytest.raises(ValueError, match="say which hand it is: side='left' or 'right'"):
        layout_mapping(get_layout('hand_21'), get_layout('sign_49'))
    with pytest.raises(ValueError, match="side must be 'left' or 'right', got 'both'"):
        layout_mapping(get_layout('hand_21'), get_layout('sign_49'), side='both')
