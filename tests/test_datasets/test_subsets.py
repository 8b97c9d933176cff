import numpy as np
import pytest

from signbert_mm.datasets import data_ratio_indices, few_shot_indices, hold_out_indices


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
    # no more than there are, none without label
    assert few_shot_indices(labels, np.arange(4), range(2), 5, 0).tolist() == [0, 1, 2]
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
    assert (
        data_ratio_indices(labels, indices, 0.25, 0).tolist()
        == subsets[0.25].tolist()
        != data_ratio_indices(labels, indices, 0.25, 1).tolist()
    )


@pytest.mark.parametrize('ratio', [0, -0.5, 1.01])
def test_data_ratio_range(ratio):
    with pytest.raises(ValueError, match=r'ratio must lie in \(0, 1\]'):
        data_ratio_indices(np.zeros(4), np.arange(4), ratio, 0)


@pytest.mark.parametrize('share, held', [(0.01, 1), (0.2, 2), (0.5, 5), (0.99, 9)])
def test_whole_signers_are_held_out(share, held):
    random = np.random.RandomState(0)
    labels, signers = (
        random.randint(0, 4, 300),
        np.asarray([f's{number}' for number in random.randint(0, 12, 300)]),
    )
    indices = random.permutation(np.flatnonzero((signers != 's10') & (signers != 's11')))
    train, val = (hold_out_indices(labels, signers, indices, part, share) for part in ('train', 'val'))
    assert (
        sorted([*train, *val]) == sorted(indices) and (np.diff(train) > 0).all() and (np.diff(val) > 0).all()
    )
    assert set(signers[val]) == set(
        np.random.RandomState(0).permutation([f's{number}' for number in range(10)])[:held]
    )
    assert not set(signers[train]) & set(signers[val])
    assert val.tolist() == hold_out_indices(labels, signers, indices[::-1], 'val', share).tolist()
    assert share in (0.01, 0.99) or set(
        signers[hold_out_indices(labels, signers, indices, 'val', share, seed=1)]
    ) != set(signers[val])


def test_named_signers_and_clips_are_held_out():
    labels, signers = np.repeat([0, 1], [40, 20]), np.asarray(['a', 'b', 'c'] * 20)
    indices = np.arange(60)
    assert hold_out_indices(labels, signers, indices, 'val', names=['c']).tolist() == list(range(2, 60, 3))
    nobody = np.asarray([''] * 60)
    train, val = (
        hold_out_indices(labels, nobody, indices, part, 0.25, by='clip', seed=3) for part in ('train', 'val')
    )
    assert sorted([*train, *val]) == indices.tolist() and np.bincount(labels[val]).tolist() == [10, 5]
    assert val.tolist() == data_ratio_indices(labels, indices, 0.25, 3).tolist()


@pytest.mark.parametrize(
    'signers, options, message',
    [
        ('ab', dict(part='test', share=0.5), "part is 'train' or 'val'"),
        ('ab', dict(part='val', share=0.5, by='class'), "by is 'signer' or 'clip'"),
        ('ab', dict(part='val'), 'one of share and names'),
        ('ab', dict(part='val', share=0.5, names=['a']), 'one of share and names'),
        ('ab', dict(part='val', names=['a'], by='clip'), 'one of share and names'),
        ('ab', dict(part='val', share=1.0), 'share must lie between 0 and 1, got 1.0'),
        (
            ['a', '', ''],
            dict(part='val', share=0.5),
            "2 of 3 clips do not tell their signer; hold out clips: by='clip'",
        ),
        ('aa', dict(part='val', share=0.5), r'all 2 clips are of one signer \(a\)'),
        ('ab', dict(part='val', names=['c']), r"some, not all, of the 2 signers \(a, b\), got \['c'\]"),
        ('ab', dict(part='val', names=['a', 'b']), 'not all'),
        ('ab', dict(part='val', names='a'), 'must be a list'),
    ],
)
def test_what_cannot_be_held_out(signers, options, message):
    signers = np.asarray(list(signers))
    with pytest.raises(ValueError, match=message):
        hold_out_indices(np.zeros(len(signers), int), signers, np.arange(len(signers)), **options)
