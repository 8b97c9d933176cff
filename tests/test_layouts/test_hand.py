import pytest

from signbert_mm.layouts import get_layout

TIPS = dict(thumb=4, forefinger=8, middle_finger=12, ring_finger=16, pinky_finger=20)


def test_order_of_a_hand():
    joints = get_layout('hand_21').joints
    assert joints[0] == 'hand_root'
    for finger, tip in TIPS.items():
        assert joints[tip - 3 : tip + 1] == tuple(f'{finger}{number}' for number in (1, 2, 3, 4))


def test_twenty_bones_make_a_tree_from_the_wrist():
    edges = get_layout('hand_21').edges
    expected = set()
    for tip in TIPS.values():
        expected |= {(0, tip - 3), (tip - 3, tip - 2), (tip - 2, tip - 1), (tip - 1, tip)}
    assert len(edges) == 20 and set(edges) == expected
    # each joint but the wrist has one parent
    assert sorted(child for _, child in edges) == list(range(1, 21))


def test_sixteen_symmetric_edges_join_like_joints_of_neighbouring_fingers():
    layout = get_layout('hand_21')
    fingers = list(TIPS)
    expected = {
        (f'{a}{number}', f'{b}{number}') for a, b in zip(fingers[:-1], fingers[1:]) for number in (1, 2, 3, 4)
    }
    assert len(layout.symmetric_edges) == 16
    assert {(layout.joints[a], layout.joints[b]) for a, b in layout.symmetric_edges} == expected


def test_six_parts():
    parts = get_layout('hand_21').parts
    assert {name: parts[name] for name in TIPS} == {
        name: (tip - 3, tip - 2, tip - 1, tip) for name, tip in TIPS.items()
    }
    assert parts['palm'] == (0, 1, 5, 9, 13, 17) and len(parts) == 6


@pytest.mark.parametrize(
    'name, left, right',
    [
        ('hands_42', 0, 21),
        ('sign_49', 0, 21),
        ('coco_wholebody_133', 91, 112),
        ('mediapipe_holistic', 33, 54),
        ('openpose', 25, 46),
    ],
)
def test_where_the_hands_are(name, left, right):
    layout, hand = get_layout(name), get_layout('hand_21')
    for side, start in (('left', left), ('right', right)):
        joints = layout.parts[f'{side}_hand']
        assert joints == tuple(range(start, start + 21))
        assert [layout.joints[joint] for joint in joints] == [f'{side}_{joint}' for joint in hand.joints]
        assert {(start + a, start + b) for a, b in hand.edges} <= set(layout.edges)
        assert {(start + a, start + b) for a, b in hand.symmetric_edges} <= set(layout.symmetric_edges)
    assert {(left + joint, right + joint) for joint in range(21)} <= set(layout.flip_pairs)
    assert len(layout.symmetric_edges) == 32
