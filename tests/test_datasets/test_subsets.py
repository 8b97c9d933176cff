import numpy as np
import pytest

from signbert_mm.datasets import data_ratio_indices, few_shot_indices


@pytest.mark.parametrize('shots, seed', [(1, 0), (2, 3), (5, 9)])
def test_few_shot_is_the_protocol(shots, seed):
    labels = np.random.RandomState(1).randint(0, 7, 200)
    labels[labels == 4] = 5  # a gloss without clips
    pool = np.random.RandomState(2).permutation(200)[:120]
    r = np.random.RandomState(seed)
    expected = []
    for gloss in range(7):
        expected += r.permutation(sorted(i for i in pool if labels[i] == gloss))[:shots].tolist()
    assert few_shot_indices(labels, pool, range(7), shots, seed).tolist() == sorted(expected)


def test_few_shot_limits():
    labels = np.asarray([0, 0, 1, -1])
    assert few_shot_indices(labels, np.arange(4), range(2), 5, 0).tolist() == [0, 1, 2]  # no more than there are, none without label
    with pytest.raises(ValueError, match='shots must be at least 1'):
        few_shot_indices(labels, np.arange(4), range(2), 0, 0)


def test_data_ratio_is_nested_stratified_and_exact():
    labels = np.repeat([-1, 0, 1, 2], [37, 400, 41, 6])
    indices = np.arange(484)[::-1]
    subsets = {ratio: data_ratio_indices(labels, indices, ratio, 0) for ratio in (0.25, 0.5, 0.75, 1.0)}
    assert subsets[1.0].tolist() == list(range(484))
    for small, large in ((0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        assert set(subsets[small]) < set(subsets[large])
    for ratio, subset in subsets.items():
        assert len(subset) == int(ratio * 484 + 0.5) and (np.diff(subset) > 0).all()
        for label, size in zip((-1, 0, 1, 2), (37, 400, 41, 6)):
            assert abs((labels[subset] == label).sum() - ratio * size) <= 1.5
    assert data_ratio_indices(labels, indices, 0.25, 0).tolist() == subsets[0.25].tolist() != data_ratio_indices(labels, indices, 0.25, 1).tolist()


@pytest.mark.parametrize('ratio', [0, -0.5, 1.01])
def test_data_ratio_range(ratio):
    with pytest.raises(ValueError, match=r'ratio must lie in \(0, 1\]'):
        data_ratio_indices(np.zeros(4), np.arange(4), ratio, 0)
