"""mmengine's wrappers around data sets of clips."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from pose_store_fixtures import write_store

from signbert_mm.registry import DATASETS

CLIPS = 4


@pytest.fixture
def part(tmp_path):
    init_default_scope('signbert_mm')
    store = write_store(tmp_path / 's', (200,) * CLIPS).folder
    return dict(
        type='PoseDataset', store=str(store), pipeline=[dict(type='RandomTemporalSample', clip_len=2)]
    )


# Labels are 0, 1, 2, 0: the two rare ones are repeated.
WRAPPED = [
    (lambda part: dict(type='RepeatDataset', times=3, dataset=part), [3, 3, 3, 3]),
    (lambda part: dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=part), [1, 2, 2, 1]),
    (lambda part: dict(type='ConcatDataset', datasets=[part, part]), [2, 2, 2, 2]),
    (
        lambda part: dict(
            type='RepeatDataset',
            times=2,
            dataset=dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=part),
        ),
        [2, 4, 4, 2],
    ),
]


@pytest.mark.parametrize('wrap, times', WRAPPED)
def test_each_repetition_of_a_clip_draws_anew(part, wrap, times):
    plain, wrapped = DATASETS.build(part), DATASETS.build(wrap(part))
    assert len(wrapped) == sum(times) and wrapped.metainfo['dataset'] == 's'
    items = [item['inputs'] for item in wrapped]
    index = torch.stack([item['index'] for item in items])
    assert (index % CLIPS).bincount().tolist() == times and len(set(index.tolist())) == len(items)
    for item in items:
        place = int(item['index']) % CLIPS
        assert item['label'] == plain.labels[place]
        if item['index'] == place:
            assert all(torch.equal(value, plain[place]['inputs'][name]) for name, value in item.items())
    repeated = index % CLIPS == 1
    assert len({int(items[row]['frames'][0]) for row in repeated.nonzero()[:, 0]}) == times[1]


@pytest.mark.parametrize('wrap, times', WRAPPED[:1])
def test_workers_give_the_same_batches(part, wrap, times):
    def batches(workers):
        loader = Runner.build_dataloader(
            dict(
                batch_size=4,
                num_workers=workers,
                sampler=dict(type='DefaultSampler', shuffle=True),
                collate_fn=dict(type='collate_poses'),
                dataset=wrap(part),
            ),
            seed=0,
        )
        return [batch['inputs'] for batch in loader]

    for one, other in zip(batches(0), batches(2)):
        assert all(torch.equal(one[name], other[name]) for name in one)
