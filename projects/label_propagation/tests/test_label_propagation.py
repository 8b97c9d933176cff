"""Labels spread along nearest neighbours, against a dense reference."""

import numpy as np
import pytest
import torch

from projects.label_propagation.label_propagation import neighbour_graph, propagate_labels


def dense_graph(features, k, temperature):
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosine = features @ features.T
    np.fill_diagonal(cosine, -2)
    joined = np.zeros(cosine.shape, bool)
    for row in range(len(cosine)):
        joined[row, np.argsort(-cosine[row])[:k]] = True
    weight = np.where(joined | joined.T, np.exp((cosine - 1) / temperature), 0)
    root = np.sqrt(weight.sum(1))
    return weight / root[:, None] / root, np.sort(cosine, 1)[:, -k:].mean(1)


@pytest.fixture(scope='module')
def clips():
    """Three directions, 15 clips about each, and 6 clips anywhere."""
    random = np.random.RandomState(0)
    label = np.repeat(np.arange(3), 15)
    near = np.eye(8)[label] + 0.15 * random.randn(45, 8)
    return torch.from_numpy(np.concatenate([near, random.randn(6, 8)])), torch.from_numpy(label)


def test_graph_against_dense(clips):
    graph, likeness = neighbour_graph(clips[0], 4, 0.05)
    expected, expected_likeness = dense_graph(clips[0].numpy(), 4, 0.05)
    np.testing.assert_allclose(graph.to_dense().numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(likeness.numpy(), expected_likeness, atol=1e-12)


def test_labels_against_dense(clips):
    features, _ = clips
    known = torch.full((51,), -1)
    known[torch.tensor([0, 1, 15, 30])] = torch.tensor([0, 0, 1, 2])
    graph, _ = dense_graph(features.numpy(), 5, 0.1)
    start = np.zeros((51, 3))
    start[[0, 1], 0], start[15, 1], start[30, 2] = 0.5, 1, 1
    mass = start
    for _ in range(7):
        mass = 0.9 * graph @ mass + 0.1 * start
    share = np.sort(mass / mass.sum(1, keepdims=True), 1)
    margin = share[:, -1] - share[:, -2]
    for least in (0.0, 0.9):
        expected = np.where(margin >= least, mass.argmax(1), -1)
        found = propagate_labels(
            features, known, 3, k=5, temperature=0.1, alpha=0.9, steps=7, min_margin=least
        )
        assert found.tolist() == np.where(known >= 0, known, expected).tolist()
    assert (expected == -1).any() and (expected >= 0).sum() > 30


def test_one_label_a_class_is_enough(clips):
    features, label = clips
    known = torch.full((51,), -1)
    known[[3, 17, 40]] = torch.tensor([0, 1, 2])
    assert torch.equal(
        propagate_labels(features[:45], known[:45], 3, k=5, temperature=0.1, min_margin=0.0), label
    )


def test_known_labels_stay():
    features = torch.tensor([[1.0, 0.0], [1.0, 0.01], [1.0, 0.02], [1.0, 0.03]])
    assert propagate_labels(features, torch.tensor([0, 1, 0, -1]), 2, k=3, temperature=1.0).tolist()[:3] == [
        0,
        1,
        0,
    ]


def test_what_no_label_reaches_has_none_or_is_background():
    features = torch.eye(4)[[0, 0, 1, 1, 2, 2]]
    known = torch.tensor([0, -1, 1, -1, -1, -1])
    assert propagate_labels(features, known, 3, k=1).tolist() == [0, 0, 1, 1, -1, -1]
    assert propagate_labels(features, known, 3, k=1, background=2, background_share=0.0).tolist() == [
        0,
        0,
        1,
        1,
        2,
        2,
    ]


def test_background_starts_where_neighbours_are_far(clips):
    features, label = clips
    known = torch.full((51,), -1)
    # Class 3, the background, has no example.
    known[[3, 17, 40]] = torch.tensor([0, 1, 2])
    options = dict(k=5, temperature=0.02, min_margin=0.0)
    found = propagate_labels(features, known, 4, background=3, background_share=6 / 51, **options)
    assert (found[45:] == 3).all() and (found[:45] == label).float().mean() > 0.85
    assert not (propagate_labels(features, known, 4, **options) == 3).any()


def test_what_is_half_background_is_background():
    """A clip between an example of class 0 and one of class 1: too uncertain for either, unless one of them
    is the background.
    """
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.01]])
    known = torch.tensor([0, 1, -1])
    options = dict(k=2, temperature=1.0, background_share=0.0)
    for background, expected in ((None, -1), (0, 0), (1, 1), (2, -1)):
        assert propagate_labels(features, known, 3, background=background, **options).tolist() == [
            0,
            1,
            expected,
        ]


def test_refuses():
    features = torch.randn(5, 3)
    with pytest.raises(ValueError, match='labels must lie in 0 .. 1, one at least; the largest is 2'):
        propagate_labels(features, torch.tensor([0, 2, -1, -1, -1]), 2)
    with pytest.raises(ValueError, match='the largest is -1'):
        propagate_labels(features, torch.full((5,), -1), 2)
    with pytest.raises(ValueError, match='not finite'):
        propagate_labels(features * torch.nan, torch.tensor([0, 1, -1, -1, -1]), 2)
    with pytest.raises(ValueError, match='k must be from 1 to 4'):
        neighbour_graph(features, 5, 0.1)
