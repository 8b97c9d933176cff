import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pose_store_fixtures import write_store

from signbert_mm.datasets import ClassBalancedSampler, PoseDataset, samplers
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


def test_a_repeated_clip_draws_anew(tmp_path, monkeypatch):
    store = write_store(tmp_path / 's', (200,) * 6, glosses=('a', 'b')).folder
    # One clip of class 1, three of class 0.
    data = PoseDataset(store, indices=[0, 1, 2, 4], pipeline=[dict(type='RandomTemporalSample', clip_len=2)])
    sampler = ClassBalancedSampler(data, seed=0, num_samples=8)
    order = list(sampler)
    assert [index % 4 for index in order] == list(make(data.labels, num_samples=8))
    # The first time is the clip itself, as without repetitions.
    assert [index for index in order if index % 4 == 1] == [1, 5, 9, 13]
    inputs = data.__getitems__(order)['inputs']
    assert inputs['index'].tolist() == order
    assert inputs['label'].tolist() == [int(data.labels[index % 4]) for index in order]
    rare = torch.tensor(order) % 4 == 1
    assert len(set(inputs['frames'][rare, 0].tolist())) == 4
    first = [row for row, index in enumerate(order) if index < 4]
    plain = data.__getitems__([order[row] for row in first])['inputs']
    assert all(torch.equal(value[first], plain[name]) for name, value in inputs.items())
    # Ranks count over the common order.
    parts = []
    for rank in range(2):
        monkeypatch.setattr(samplers, 'get_dist_info', lambda rank=rank: (rank, 2))
        parts.append(list(ClassBalancedSampler(data, seed=0, num_samples=8)))
    assert [index for pair in zip(*parts) for index in pair] == order


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
