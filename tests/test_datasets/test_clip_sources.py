import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, sampler
from pose_store_fixtures import keypoints, write_store
from torch.utils.data import DataLoader

from signbert_mm.datasets import ConcatPoseDataset, PoseDataset, PoseStoreWriter, clip_sources, collate_poses
from signbert_mm.datasets.clip_sources import PreloadedClips

RANDOM = [dict(type='RandomTemporalSample', clip_len=4)]


def assert_equal(one, other):
    """Bit for bit: -0 is not 0."""
    assert one.keys() == other.keys() and one.get('video_id') == other.get('video_id')
    assert list(one['inputs']) == list(other['inputs'])
    for name, value in one['inputs'].items():
        there = other['inputs'][name]
        assert value.dtype == there.dtype and value.is_contiguous() == there.is_contiguous(), name
        assert value.numpy().tobytes() == there.numpy().tobytes() and value.shape == there.shape, name


def gappy_store(folder, **kwargs):
    """12 clips of 2 to 13 frames, frames without hands here and there, the fourth without any; coordinates
    left of the image are negative.
    """
    with PoseStoreWriter(folder, 'hands_42', ['a', 'b', 'c'], **kwargs) as writer:
        for index in range(12):
            data = keypoints(index + 2, 42, index)
            data[:, 0, :2] *= -1
            data[[frame for frame in range(index + 2) if frame % 3 == index % 3 or index == 3]] = 0
            writer.add(
                data, index % 3, 'train' if index % 4 else 'test', f'v{index}', width=640 + index, height=480
            )
        return writer.close().folder


@pytest.fixture(params=['float32', 'int16'])
def store(request, tmp_path):
    return gappy_store(tmp_path / 's', dtype=request.param)


@pytest.mark.parametrize('kind', ['memory', 'device'])
@pytest.mark.parametrize(
    'options',
    [
        dict(pipeline=RANDOM),
        dict(pipeline=RANDOM, drop_empty_frames=False, split='train', seed=3, stand_ins=True),
        dict(
            pipeline=[dict(type='UniformTemporalSample', clip_len=5, repeat=False)],
            layout='hands_42',
            test_mode=True,
        ),
        dict(
            pipeline=[dict(type='CenterTemporalSample', clip_len=6)],
            indices=[7, 2, 2, 0],
            classes=['a', 'c'],
            relabel=True,
        ),
        dict(test_mode=True),
    ],
    ids=['random', 'all frames', 'uniform', 'subset', 'whole clips'],
)
def test_batches_equal_those_of_the_memory_map(store, kind, options):
    plain, held = PoseDataset(store, **options), PoseDataset(store, preload=kind, **options)
    assert plain.device == held.device == torch.device('cpu')
    for epoch in (0, 3):
        for dataset in (plain, held):
            dataset.set_epoch(epoch)
        for indices in (range(len(plain)), [2, 0, 2], [1]):
            assert_equal(held.__getitems__(indices), plain.__getitems__(indices))
    assert_equal(held[1], plain[1])


def test_blocks(store, monkeypatch):
    monkeypatch.setattr(clip_sources, '_BLOCK', 5)
    assert_equal(
        PoseDataset(store, pipeline=RANDOM, preload='memory').__getitems__(range(12)),
        PoseDataset(store, pipeline=RANDOM).__getitems__(range(12)),
    )


def test_only_what_can_be_asked_for_is_held(store):
    held = PoseDataset(store, layout='sign_49', split='test', pipeline=RANDOM, preload='memory')._source
    kept = sum(int(length) for length in held.length)
    assert (
        held.keypoints.shape == (kept, 49, 2)
        and held.scores.shape == (kept, 49)
        and kept == 2 + 6 + 10 - (1 + 2 + 3)
    )


def test_concatenation(tmp_path):
    parts = [
        dict(type='PoseDataset', store=gappy_store(tmp_path / name, dtype=dtype), pipeline=RANDOM)
        for name, dtype in dict(x='float32', y='int16').items()
    ]
    plain, held = ConcatPoseDataset(parts), ConcatPoseDataset(parts, preload='device')
    assert [part.preload for part in held.parts] == ['device'] * 2
    order = np.random.RandomState(0).permutation(24).tolist()
    assert_equal(held.__getitems__(order), plain.__getitems__(order))
    own = ConcatPoseDataset([dict(parts[0], preload='none'), parts[1]], preload='memory')
    assert [part.preload for part in own.parts] == ['none', 'memory']


@pytest.mark.parametrize('ranks', [1, 2])
def test_loaders(store, monkeypatch, ranks):
    """Shuffled epochs on one and on two ranks, and the rest of an epoch from its third batch on."""
    datasets = [PoseDataset(store, pipeline=RANDOM, preload=kind) for kind in ('none', 'device', 'memory')]
    for rank in range(ranks):
        monkeypatch.setattr(sampler, 'get_dist_info', lambda rank=rank: (rank, ranks))
        loaders = [
            DataLoader(dataset, 2, sampler=DefaultSampler(dataset, seed=1), collate_fn=collate_poses)
            for dataset in datasets
        ]
        for epoch in range(2):
            batches = []
            for loader in loaders:
                loader.sampler.set_epoch(epoch)
                loader.dataset.set_epoch(epoch)
                batches.append(list(loader))
            assert [len(epoch) for epoch in batches] == [6 // ranks] * 3
            for plain, *others in zip(*batches):
                for other in others:
                    assert_equal(other, plain)
        rest = list(loaders[0].batch_sampler)[2:]
        for plain, held in zip(
            *(DataLoader(dataset, batch_sampler=rest, collate_fn=collate_poses) for dataset in datasets[:2])
        ):
            assert_equal(held, plain)


def test_workers(store):
    def loaded(kind, workers):
        return list(
            DataLoader(
                PoseDataset(store, pipeline=RANDOM, preload=kind),
                6,
                num_workers=workers,
                collate_fn=collate_poses,
            )
        )

    for held, plain in zip(loaded('memory', 1), loaded('none', 0)):
        assert_equal(held, plain)
    with pytest.raises(
        ValueError,
        match=r"preload='device' gathers batches in the main process: set the "
        r"loader's num_workers=0",
    ):
        loaded('device', 1)


def test_limit(store):
    with pytest.raises(
        ValueError,
        match=r"preload='device' needs more than its limit of 0\.000 GB \(12 clips, \d+ frames "
        r'of 49 joints.*Set preload_gb higher',
    ):
        PoseDataset(store, preload='device', preload_gb=1e-7)
    assert len(PoseDataset(store, preload='device', preload_gb=1e-4)) == 12
    with pytest.raises(ValueError, match="preload is 'gpu'; choose one of none, memory, device"):
        PoseDataset(store, preload='gpu')
    assert 0 < clip_sources._free_gb(torch.device('cpu')) < 1e5


def test_a_file_changed_since_is_named(tmp_path):
    folder = write_store(tmp_path / 's', (4, 6, 5)).folder
    values = np.load(f'{folder}/keypoints.npy', mmap_mode='r+')
    values[4 + 3, 7, 1] = np.nan
    values.flush()
    with pytest.raises(
        ValueError,
        match=r"clip 1 \(video_id 'v1'\), frame 3, joint 7.*prepare the store "
        r'again',
    ):
        PoseDataset(folder, preload='memory')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_gpu(store):
    held, plain = PoseDataset(store, pipeline=RANDOM, preload='device'), PoseDataset(store, pipeline=RANDOM)
    assert held.device.type == 'cuda' and isinstance(held._source, PreloadedClips)
    inputs = held.__getitems__([4, 2, 9])['inputs']
    assert {value.device for value in inputs.values()} == {held.device}
    assert_equal(
        dict(inputs={name: value.cpu() for name, value in inputs.items()}), plain.__getitems__([4, 2, 9])
    )
