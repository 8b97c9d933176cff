import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from signbert_mm.datasets import ClassBalancedSampler, samplers
from signbert_mm.registry import DATA_SAMPLERS


class Labels(SimpleNamespace):
    def __len__(self):
        return len(self.labels)


def make(labels, **kwargs):
    return ClassBalancedSampler(Labels(labels=np.asarray(labels)), seed=kwargs.pop('seed', 0), **kwargs)


def test_every_class_equally_often():
    labels = np.asarray([0] * 70 + [2] * 20 + [5] * 9 + [7])  # 100 clips, 4 classes that have any
    indices = list(make(labels))
    assert len(indices) == 100 and np.bincount(labels[indices])[[0, 2, 5, 7]].tolist() == [25] * 4
    drawn = np.bincount(indices, minlength=100)
    assert drawn[:70].max() == 1  # the large class: a part, nothing twice
    # small ones: evenly
    assert set(drawn[70:90]) == {1, 2} and set(drawn[90:99]) == {2, 3} and drawn[99] == 25
    assert make(labels).total == 100 and sorted(
        np.bincount(labels[list(make(labels, num_samples=10))])[[0, 2, 5, 7]]
    ) == [2, 2, 3, 3]


def test_function_of_seed_and_epoch():
    sampler = make([0, 0, 0, 1, 1, 2])
    first = list(sampler)
    assert list(sampler) == first == list(make([0, 0, 0, 1, 1, 2])) != list(make([0, 0, 0, 1, 1, 2], seed=1))
    sampler.set_epoch(1)
    assert list(sampler) != first


@pytest.mark.parametrize('round_up', [True, False])
def test_ranks_share_one_order(monkeypatch, round_up):
    labels = [0] * 6 + [1] * 4 + [2]
    whole = list(make(labels))
    parts = []
    for rank in range(3):
        monkeypatch.setattr(samplers, 'get_dist_info', lambda rank=rank: (rank, 3))
        sampler = make(labels, round_up=round_up)
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler)
    assert [len(part) for part in parts] == ([4, 4, 4] if round_up else [4, 4, 3])
    merged = [part[step] for step in range(4) for part in parts if step < len(part)]
    assert merged == (whole + whole[:1] if round_up else whole)


def test_built_as_the_runner_builds_it():
    sampler = DATA_SAMPLERS.build(
        dict(type='ClassBalancedSampler'),
        default_args=dict(dataset=Labels(labels=np.zeros(3, dtype=int)), seed=3),
    )
    assert sorted(sampler) == [0, 1, 2] and sampler.seed == 3


def test_clips_without_label():
    with pytest.raises(ValueError, match='2 of 3 clips have no label'):
        make([-1, 0, -1])


def test_memory_of_an_epoch():
    clips = 100_000
    sampler = DATA_SAMPLERS.build(
        dict(type='ClassBalancedSampler', dataset=Labels(labels=np.arange(clips) % 10), seed=0)
    )
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    indices = iter(sampler)
    first = next(indices)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0 <= first < clips and held < 9 * clips
