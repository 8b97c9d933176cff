import numpy as np
import pytest

from signbert_mm.layouts import get_layout
from signbert_mm.layouts.graph import ROLES, hand_part_graph, joint_graph, part_graph, role_adjacency


def reference(count, edges, symmetric):
    matrix = np.zeros((4, count, count))
    for node in range(count):
        takes = [[node], [a for a, b in edges if b == node], [b for a, b in edges if a == node], []]
        takes[3] = [b for a, b in symmetric if a == node] + [a for a, b in symmetric if b == node]
        for role, others in enumerate(takes):
            for other in others:
                matrix[role, node, other] = 1 / len(others)
    return matrix


def test_roles():
    assert ROLES == ('self', 'closer', 'further', 'symmetric')


def test_joints_of_a_hand():
    layout = get_layout('hand_21')
    adjacency = role_adjacency(21, layout.edges, layout.symmetric_edges).numpy()
    np.testing.assert_allclose(adjacency, reference(21, layout.edges, layout.symmetric_edges), atol=1e-7)
    # by hand: the wrist takes a fifth from each finger root; forefinger2 from forefinger1, forefinger3, and
    # half each from thumb2 and middle_finger2
    assert adjacency[2, 0].nonzero()[0].tolist() == [1, 5, 9, 13, 17] and np.allclose(
        adjacency[2, 0, [1, 5, 9, 13, 17]], 0.2
    )
    assert not adjacency[1, 0].any() and not adjacency[3, 0].any()
    assert adjacency[1, 6].nonzero()[0].tolist() == [5] and adjacency[2, 6].nonzero()[0].tolist() == [7]
    assert adjacency[3, 6].nonzero()[0].tolist() == [2, 10] and np.allclose(adjacency[3, 6, [2, 10]], 0.5)
    assert not adjacency[2, 20].any() and adjacency[3, 20].nonzero()[0].tolist() == [16]
    sums = adjacency.sum(-1)
    assert np.all(np.isclose(sums, 1) | (sums == 0))


def test_parts_of_a_hand():
    parts, edges, symmetric = hand_part_graph(get_layout('hand_21'))
    assert parts == [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10, 11, 12],
        [13, 14, 15, 16],
        [17, 18, 19, 20],
        [0, 1, 5, 9, 13, 17],
    ]
    assert edges == [(5, finger) for finger in range(5)]
    assert symmetric == [(0, 1), (1, 2), (2, 3), (3, 4)]
    adjacency = role_adjacency(6, edges, symmetric).numpy()
    np.testing.assert_allclose(adjacency, reference(6, edges, symmetric), atol=1e-7)


def test_a_layout_without_the_parts_of_a_hand():
    with pytest.raises(KeyError, match='thumb'):
        hand_part_graph(get_layout('trunk_7'))


def test_the_trunk():
    trunk = get_layout('trunk_7')
    # by hand: like joints of both arms are symmetric, and the shoulders are not bone-connected besides
    expected = reference(7, [(0, 1), (0, 4), (1, 2), (2, 3), (4, 5), (5, 6)], [(1, 4), (2, 5), (3, 6)])
    np.testing.assert_allclose(joint_graph(trunk).numpy(), expected, atol=1e-7)
    assert part_graph(trunk) == ([[1, 2, 3], [4, 5, 6], [0]], [(2, 0), (2, 1)], [(0, 1)])


def test_a_hand_is_as_before():
    hand = get_layout('hand_21')
    assert np.array_equal(
        joint_graph(hand), role_adjacency(21, hand.edges, hand.symmetric_edges)
    ) and part_graph(hand) == hand_part_graph(hand)
