import numpy as np
import pytest

from signbert_mm.layouts import LAYOUTS, Layout, get_layout, register_layout

COUNTS = dict(
    coco_wholebody_133=133, mediapipe_holistic=75, openpose=67, hand_21=21, hands_42=42, trunk_7=7, sign_49=49
)


def other_side(name):
    for a, b in (('left', 'right'), ('right', 'left')):
        if name.startswith(f'{a}_') or name.endswith(f'_{a}'):
            return name.replace(a, b)
    return name


def test_all_layouts_are_there():
    assert set(COUNTS) <= set(LAYOUTS)


@pytest.mark.parametrize('name', COUNTS)
def test_counts_and_names(name):
    layout = get_layout(name)
    assert (
        layout.name == name
        and layout.num_joints == len(layout.joints) == len(set(layout.joints)) == COUNTS[name]
    )
    assert get_layout(layout) is layout
    assert layout.indices(layout.joints) == tuple(range(COUNTS[name]))


@pytest.mark.parametrize('name', COUNTS)
def test_flip_is_an_involution_that_exchanges_left_and_right(name):
    layout = get_layout(name)
    order = np.array(layout.flip_order)
    assert sorted(order) == list(range(layout.num_joints))
    assert (order[order] == np.arange(layout.num_joints)).all()
    paired = [joint for pair in layout.flip_pairs for joint in pair]
    assert len(paired) == len(set(paired)) and all(a != b for a, b in layout.flip_pairs)
    for index, joint in enumerate(layout.joints):
        if not joint.startswith('face-'):  # the face's points have numbers, not sides
            assert layout.joints[order[index]] == other_side(joint), joint


@pytest.mark.parametrize('name', COUNTS)
def test_flip_keeps_edges_and_exchanges_parts(name):
    layout = get_layout(name)
    order = layout.flip_order
    for edges in (layout.edges, layout.symmetric_edges):
        undirected = {frozenset(edge) for edge in edges}
        assert len(undirected) == len(edges) and all(len(edge) == 2 for edge in undirected)
        assert {frozenset(order[joint] for joint in edge) for edge in undirected} == undirected
    for part, joints in layout.parts.items():
        assert len(set(joints)) == len(joints)
        assert {order[joint] for joint in joints} == set(layout.parts[other_side(part)])


@pytest.mark.parametrize('name', COUNTS)
def test_edges_are_a_graph_without_bones_between_left_and_right_limbs(name):
    layout = get_layout(name)
    for a, b in layout.edges:
        sides = {
            side for side in ('left', 'right') for joint in (a, b) if layout.joints[joint].startswith(side)
        }
        limbs = ('elbow', 'wrist', 'hand', 'thumb', 'finger', 'knee', 'ankle')
        if any(limb in layout.joints[joint] for joint in (a, b) for limb in limbs):
            assert len(sides) <= 1, (layout.joints[a], layout.joints[b])


@pytest.mark.parametrize(
    'name, joints',
    [
        ('hands_42', 42),
        ('sign_49', 49),
        ('mediapipe_holistic', 75),
        ('openpose', 67),
        ('coco_wholebody_133', 133),
    ],
)
def test_hands_hang_on_the_body_where_there_is_one(name, joints):
    layout = get_layout(name)
    neighbours = {}
    for a, b in layout.edges:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    reached, queue = set(), [layout.joints.index('left_hand_root')]
    while queue:
        joint = queue.pop()
        if joint not in reached:
            reached.add(joint)
            queue += neighbours.get(joint, ())
    hands = set(layout.parts['left_hand']) | (
        set() if name == 'hands_42' else set(layout.parts['right_hand'])
    )
    assert hands <= reached


def test_an_unknown_layout_lists_the_known():
    with pytest.raises(
        KeyError, match=r"unknown layout 'coco'.*coco_wholebody_133.*sign_49.*register_layout"
    ):
        get_layout('coco')


def test_a_joint_that_is_not_there():
    with pytest.raises(KeyError, match=r"'trunk_7' has no joint.*left_hip"):
        get_layout('trunk_7').indices(['nose', 'left_hip'])


@pytest.mark.parametrize(
    'found, hint',
    [(132, 'no known layout'), (49, 'layouts with 49 joints: sign_49'), (75, 'mediapipe_holistic')],
)
def test_a_wrong_count_names_both_counts(found, hint):
    with pytest.raises(
        ValueError, match=rf"store: {found} joints found.*'coco_wholebody_133' has 133.*{hint}"
    ):
        get_layout('coco_wholebody_133').check_joints(found, 'store')


def test_the_right_count_passes():
    get_layout('hand_21').check_joints(21, 'store')


def test_registering(monkeypatch):
    monkeypatch.setattr('signbert_mm.layouts.LAYOUTS', dict(LAYOUTS))
    mine = Layout('mine', ('a', 'b'), edges=((0, 1),))
    assert register_layout(mine) is mine and get_layout('mine') is mine
    register_layout(mine)  # the same once more is no fault
    with pytest.raises(KeyError, match="'mine' is already registered"):
        register_layout(Layout('mine', ('a', 'c')))


@pytest.mark.parametrize(
    'fields',
    [
        dict(edges=((0, 2),)),
        dict(symmetric_edges=((-1, 0),)),
        dict(parts=dict(hand=(0, 1, 2))),
        dict(flip_pairs=((0, 5),)),
    ],
)
def test_an_index_outside(fields):
    with pytest.raises(ValueError, match=rf"layout 'bad': {next(iter(fields))} .*there are 2 joints"):
        Layout('bad', ('a', 'b'), **fields)


def test_a_name_twice():
    with pytest.raises(ValueError, match=r"'bad'.*repeated.*'a'"):
        Layout('bad', ('a', 'b', 'a'))
