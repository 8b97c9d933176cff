import pickle

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from pose_store_fixtures import keypoints, write_store
from torch.utils.data import DataLoader

from signbert_mm.datasets import PoseDataset, PoseStoreWriter, collate_poses
from signbert_mm.draws import Draws
from signbert_mm.registry import DATASETS, FUNCTIONS

CENTER = [dict(type='CenterTemporalSample', clip_len=4)]
RANDOM = [dict(type='RandomTemporalSample', clip_len=4)]


@pytest.fixture
def store(tmp_path):
    """Ten clips of 1 to 10 frames: labels 0, 1, 2, 0, .., the last two in 'test'."""
    return write_store(tmp_path / 's', range(1, 11), splits=['train'] * 8 + ['test'] * 2).folder


@pytest.mark.parametrize('dtype', ['float32', 'int16'])
@pytest.mark.parametrize('pipeline', [CENTER, RANDOM, [dict(type='UniformTemporalSample', clip_len=5)]])
def test_batch_against_the_store(tmp_path, pipeline, dtype):
    store = write_store(tmp_path / 's', range(1, 11), dtype=dtype)
    dataset = DATASETS.build(dict(type='PoseDataset', store=store.folder, pipeline=pipeline))
    batch = dataset.__getitems__([9, 0, 4])
    assert list(batch) == ['inputs']
    inputs = batch['inputs']
    time = pipeline[0]['clip_len']
    assert (
        inputs['keypoints'].shape == (3, time, 49, 2)
        and inputs['scores'].shape == (3, time, 49)
        and inputs['frames'].shape == (3, time)
    )
    for name, kind in dict(
        keypoints='float32',
        scores='float32',
        image_size='float32',
        length='int64',
        label='int64',
        index='int64',
    ).items():
        assert inputs[name].dtype == getattr(torch, kind) and inputs[name].is_contiguous()
    for row, clip in enumerate([9, 0, 4]):
        points, scores = store.clip(clip)
        real = int(inputs['length'][row])
        assert real == (5 if time == 5 else min(4, clip + 1))
        frames = inputs['frames'][row, :real].numpy()
        np.testing.assert_array_equal(inputs['keypoints'][row, :real], points[frames])
        np.testing.assert_array_equal(inputs['scores'][row, :real], scores[frames])
        assert (
            not inputs['keypoints'][row, real:].any()
            and not inputs['scores'][row, real:].any()
            and not inputs['frames'][row, real:].any()
        )
    assert (
        inputs['index'].tolist() == [9, 0, 4]
        and inputs['label'].tolist() == [0, 0, 1]
        and inputs['epoch'].tolist() == [0, 0, 0]
    )
    assert inputs['image_size'].tolist() == [[640, 480]] * 3


def test_held_out_signers(store):
    """Of the split's clips alone, before all other options, so that both parts divide it in the same way
    whatever else they choose.
    """
    parts = {
        part: PoseDataset(store, 'train', hold_out=dict(part=part, share=0.5)) for part in ('train', 'val')
    }
    who = {part: set(dataset.store.signer[dataset.clips]) for part, dataset in parts.items()}
    assert sorted([*parts['train'].clips, *parts['val'].clips]) == list(range(8)) and who['train'] | who[
        'val'
    ] == {'signer0', 'signer1'}
    assert len(who['train']) == len(who['val']) == 1
    few = PoseDataset(
        store,
        'train',
        hold_out=dict(part='val', share=0.5),
        classes=['a', 'b'],
        few_shot=dict(shots=1, seed=0),
    )
    assert set(few.clips) < set(parts['val'].clips) and len(few) == 2
    with pytest.raises(
        ValueError, match=r"hold_out is \{'signers': \['a'\]\}; give dict\(part=.., share=..\)"
    ):
        PoseDataset(store, hold_out=dict(signers=['a']))
    with pytest.raises(ValueError, match=r"/s: hold_out: part is 'train' or 'val'"):
        PoseDataset(store, hold_out=dict(part='test', share=0.5))


def test_no_temporal_transform_pads_to_the_longest(store):
    inputs = PoseDataset(store).__getitems__([2, 5])['inputs']
    assert inputs['keypoints'].shape == (2, 6, 49, 2) and inputs['length'].tolist() == [3, 6]
    np.testing.assert_array_equal(inputs['keypoints'][0, :3], keypoints(3, seed=2)[..., :2])
    assert (
        inputs['frames'].tolist() == [[0, 1, 2, 0, 0, 0], [0, 1, 2, 3, 4, 5]]
        and not inputs['scores'][0, 3:].any()
    )


def test_item_and_test_mode(store):
    dataset = PoseDataset(store, pipeline=CENTER, test_mode=True)
    item, batch = dataset[3], dataset.__getitems__([3, 7])
    assert item['video_id'] == 'v3' and batch['video_id'] == ['v3', 'v7']
    for name, value in item['inputs'].items():
        assert torch.equal(value, batch['inputs'][name][0])
    assert dataset[-1]['video_id'] == 'v9'
    with pytest.raises(IndexError):
        dataset[10]
    assert 'video_id' not in PoseDataset(store, pipeline=CENTER)[0]


def test_layout_mapping(tmp_path):
    store = write_store(tmp_path / 's', (2,), layout='coco_wholebody_133')
    full = keypoints(2, 133)
    inputs = PoseDataset(store.folder, pipeline=CENTER).__getitems__([0])['inputs']
    np.testing.assert_array_equal(inputs['keypoints'][0, :2, :42], full[:, 91:133, :2])
    # nose, left and right shoulder, elbow, wrist
    np.testing.assert_array_equal(inputs['keypoints'][0, :2, 42:], full[:, [0, 5, 7, 9, 6, 8, 10], :2])
    assert PoseDataset(store.folder, layout='coco_wholebody_133').__getitems__([0])['inputs'][
        'keypoints'
    ].shape == (1, 2, 133, 2)


def test_joints_that_the_store_lacks_are_missing(tmp_path):
    store = write_store(tmp_path / 's', (2,), layout='hands_42')
    inputs = PoseDataset(store.folder, layout='sign_49').__getitems__([0])['inputs']
    assert (
        inputs['scores'][..., :42].all()
        and not inputs['scores'][..., 42:].any()
        and not inputs['keypoints'][..., 42:, :].any()
    )
    stand = PoseDataset(store.folder, layout='sign_49', stand_ins=True).__getitems__([0])['inputs']
    # the left wrist from the left hand's root
    assert torch.equal(stand['keypoints'][:, :, 45], stand['keypoints'][:, :, 0])
    with pytest.raises(ValueError, match='no joint in common'):
        PoseDataset(store.folder, layout='trunk_7')


@pytest.fixture
def gappy(tmp_path):
    """Clip 0 shows hands in frames 1, 4, 5 of 6; clip 1 nowhere (3 frames); clip 2 everywhere (2 frames)."""
    with PoseStoreWriter(tmp_path / 'g', 'sign_49', ['a', 'b']) as writer:
        data = keypoints(6, seed=0)
        data[[0, 2, 3], :42] = 0
        for index, clip in enumerate((data, keypoints(3, seed=1, hands=False), keypoints(2, seed=2))):
            writer.add(clip, index % 2, 'train', f'v{index}', width=640, height=480)
    return str(tmp_path / 'g')


def test_drop_empty_frames(gappy):
    inputs = PoseDataset(gappy, pipeline=CENTER).__getitems__([2, 0, 1])['inputs']
    assert inputs['length'].tolist() == [2, 3, 3] and inputs['frames'].tolist() == [
        [0, 1, 0, 0],
        [1, 4, 5, 0],
        [0, 1, 2, 0],
    ]
    np.testing.assert_array_equal(inputs['keypoints'][1, :3], keypoints(6, seed=0)[[1, 4, 5], :, :2])
    assert inputs['scores'][2, :3, 42:].all() and not inputs['scores'][2, :, :42].any()
    kept = PoseDataset(gappy, pipeline=CENTER, drop_empty_frames=False).__getitems__([2, 0, 1])['inputs']
    assert kept['frames'].tolist() == [[0, 1, 0, 0], [1, 2, 3, 4], [0, 1, 2, 0]]


def test_empty_clip(gappy):
    assert len(PoseDataset(gappy)) == 3
    dropped = PoseDataset(gappy, empty_clip='drop', test_mode=True)
    assert dropped.__getitems__([0, 1])['video_id'] == ['v0', 'v2']
    with pytest.raises(
        ValueError,
        match=r"1 clips show no hand in any frame, the first: \['v1'\]; use "
        r"empty_clip='keep' or 'drop'",
    ):
        PoseDataset(gappy, empty_clip='error')
    with pytest.raises(ValueError, match='choose one of keep, drop, error'):
        PoseDataset(gappy, empty_clip='skip')
    with pytest.raises(ValueError, match='no clips are left after .*empty_clip'):
        PoseDataset(gappy, classes=['b'], empty_clip='drop')


def ids(dataset):
    return [int(name[1:]) for name in dataset.store.video_ids(dataset.clips)]


def test_subsets(store):
    assert ids(PoseDataset(store, split='test')) == [8, 9] and ids(
        PoseDataset(store, split=['test', 'train'])
    ) == list(range(10))
    assert len(PoseDataset(store)) == 10
    assert ids(PoseDataset(store, split='train', classes=['c'])) == [2, 5]
    assert PoseDataset(store, classes=['c', 'a']).labels.tolist() == [0, 2, 0, 2, 0, 2, 0]
    relabelled = PoseDataset(store, classes=['c', 'a'], relabel=True)
    assert (
        relabelled.labels.tolist() == [1, 0, 1, 0, 1, 0, 1]
        and relabelled.glosses == ['c', 'a'] == relabelled.metainfo['glosses']
    )
    assert relabelled.__getitems__([1])['inputs']['label'].tolist() == [0]
    assert ids(PoseDataset(store, indices=3)) == [0, 1, 2] and ids(
        PoseDataset(store, split='test', indices=[1])
    ) == [9]
    assert len(PoseDataset(store, data_ratio=dict(ratio=0.5, seed=0))) == 5
    r = np.random.RandomState(4)
    expected = [r.permutation(pool)[0] for pool in ([0, 3, 6], [1, 4, 7], [2, 5])]
    assert ids(PoseDataset(store, split='train', few_shot=dict(shots=1, seed=4))) == sorted(expected)
    r = np.random.RandomState(4)  # with a subset of classes only those draw
    expected = [r.permutation(pool)[0] for pool in ([1, 4, 7], [2, 5])]
    assert ids(
        PoseDataset(store, split='train', classes=['c', 'b'], few_shot=dict(shots=1, seed=4))
    ) == sorted(expected)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(split='val'), r"split \['val'\] has no clips; splits there: {'train': 8, 'test': 2}"),
        (dict(split=[]), 'has no clips'),
        (dict(classes=['a', 'aa']), r"unknown: \['aa'\]; near ones: {'aa': \['a'\]}"),
        (dict(classes=[]), 'list of distinct glosses'),
        (dict(relabel=True), 'needs `classes`'),
        (dict(few_shot=dict(shot=1)), r'give dict\(shots=.., seed=..\)'),
        (dict(data_ratio=0.5), r'give dict\(ratio=.., seed=..\)'),
        (dict(data_ratio=dict(ratio=2, seed=0)), 'ratio must lie in'),
        (dict(indices=[10]), 'indices reach from 10 to 10, but 10 clips are left'),
        (dict(indices=[]), 'no clips are left after indices'),
        (dict(pipeline=CENTER * 2), 'one temporal transform at most, and it comes first'),
    ],
)
def test_bad_options(store, options, message):
    with pytest.raises(ValueError, match=message):
        PoseDataset(store, **options)


def test_store_that_is_not_there(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r'nothing: no such folder. Prepare the data set with: python '
        r'prepare.py --all',
    ):
        PoseDataset(str(tmp_path / 'nothing'), prepare='python prepare.py --all')
    with pytest.raises(FileNotFoundError, match='tools/dataset_converters'):
        PoseDataset(str(tmp_path / 'nothing'))


def test_unknown_names(store):
    with pytest.raises(KeyError, match='unknown layout'):
        PoseDataset(store, layout='sign_48')
    with pytest.raises(KeyError, match='RandomTemporalSampel'):
        PoseDataset(store, pipeline=[dict(type='RandomTemporalSampel')])
    with pytest.raises(KeyError, match='PoseDatset'):
        DATASETS.build(dict(type='PoseDatset', store=store))


def test_later_transforms_see_the_batch_and_the_draws(store):
    def double(batch, draws):
        assert isinstance(draws, Draws) and torch.equal(draws.index, batch['index'])
        return {**batch, 'keypoints': 2 * batch['keypoints']}

    plain, doubled = PoseDataset(store, pipeline=CENTER), PoseDataset(store, pipeline=[*CENTER, double])
    assert torch.equal(2 * plain[5]['inputs']['keypoints'], doubled[5]['inputs']['keypoints'])


def test_draws_follow_seed_epoch_and_index(store):
    dataset = PoseDataset(store, pipeline=[dict(type='RandomTemporalSample', clip_len=1)])
    first = dataset.__getitems__(list(range(10)))['inputs']['frames']
    assert torch.equal(first, torch.stack([dataset[i]['inputs']['frames'] for i in range(10)]))
    dataset.set_epoch(1)
    batch = dataset.__getitems__(list(range(10)))['inputs']
    assert (
        not torch.equal(first, batch['frames']) and batch['epoch'].tolist() == [1] * 10 and dataset.epoch == 1
    )
    other = PoseDataset(store, pipeline=[dict(type='RandomTemporalSample', clip_len=1)], seed=1)
    assert not torch.equal(first, other.__getitems__(list(range(10)))['inputs']['frames'])


@pytest.mark.parametrize('context, workers', [('fork', 2), ('spawn', 1)])
def test_workers_give_the_same_and_persistent_ones_see_the_epoch(store, context, workers):
    dataset = PoseDataset(store, pipeline=RANDOM)
    loader = DataLoader(
        dataset,
        3,
        num_workers=workers,
        persistent_workers=True,
        collate_fn=collate_poses,
        multiprocessing_context=context,
    )
    for epoch in range(2):
        dataset.set_epoch(epoch)
        batches = list(loader)
        assert [len(batch['inputs']['index']) for batch in batches] == [3, 3, 3, 1]
        for batch in batches:
            expected = dataset.__getitems__(batch['inputs']['index'].tolist())['inputs']
            assert all(torch.equal(expected[name], batch['inputs'][name]) for name in expected)
            assert batch['inputs']['epoch'].unique().tolist() == [epoch]


def test_pickle(store):
    dataset = PoseDataset(store, pipeline=CENTER)
    dataset[0]
    data = pickle.dumps(dataset)
    assert len(data) < 20_000
    assert torch.equal(pickle.loads(data)[5]['inputs']['keypoints'], dataset[5]['inputs']['keypoints'])


def test_labels_and_metainfo(store):
    dataset = PoseDataset(store, split='train')
    assert dataset.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1] and dataset.get_cat_ids(2) == [2]
    info = dataset.metainfo
    assert (
        info['dataset'] == 's'
        and info['glosses'] == info['classes'] == ['a', 'b', 'c']
        and info['layout'] == 'sign_49'
    )
    assert info['coverage'] == [dict(name='s', folder=store, split='train', clips=8, glosses=3)]


def test_collate(store):
    dataset = PoseDataset(store, pipeline=CENTER, test_mode=True)
    batch = dataset.__getitems__([1, 6])
    assert FUNCTIONS.get('collate_poses') is collate_poses and collate_poses(batch) is batch
    stacked = collate_poses([dataset[1], dataset[6]])
    assert stacked['video_id'] == ['v1', 'v6'] and all(
        torch.equal(stacked['inputs'][name], batch['inputs'][name]) for name in batch['inputs']
    )
    whole = PoseDataset(store)
    with pytest.raises(ValueError, match='put a temporal transform'):
        collate_poses([whole[1], whole[6]])


def test_built_by_mmengine_runner(store):
    from mmengine.runner import Runner

    init_default_scope('signbert_mm')
    loader = Runner.build_dataloader(
        dict(
            batch_size=4,
            num_workers=0,
            dataset=dict(type='PoseDataset', store=store, pipeline=CENTER),
            sampler=dict(type='ClassBalancedSampler'),
            collate_fn=dict(type='collate_poses'),
        ),
        seed=0,
    )
    assert sum(len(batch['inputs']['label']) for batch in loader) == 10


def test_a_store_of_one_hand_takes_the_side_it_is_given(tmp_path):
    keypoints = np.ones((3, 21, 3), dtype=np.float32)
    with PoseStoreWriter(tmp_path / 'hand', 'hand_21', ['a']) as writer:
        writer.add(keypoints, 0, 'train', 'clip', width=64, height=64)
    scores = PoseDataset(tmp_path / 'hand', layout='sign_49', side='left')[0]['inputs']['scores']
    assert scores[:, :21].all() and not scores[:, 21:].any()
    with pytest.raises(ValueError, match='say which hand it is'):
        PoseDataset(tmp_path / 'hand', layout='sign_49')


def test_coverage_row(tmp_path):
    """Of 4 + 6 listed clips 3 + 5 are there; glosses a, b, c in turn."""
    splits = ('train',) * 3 + ('test',) * 5
    listed = dict(train=4, test=dict(per_class=[2, 3, 1]))
    write_store(
        tmp_path / 's', (3,) * 8, splits=splits, coverage=listed, extractor='rtmlib', extractor_version='1'
    )

    def row(**options):
        facts = PoseDataset(tmp_path / 's', **options).coverage_row()
        return {
            name: facts[name]
            for name in ('clips', 'expected', 'present', 'split_expected', 'split_present')
            if name in facts
        }

    assert row() == row(classes=['a', 'b', 'c']) == dict(clips=8, expected=10, present=8)
    assert row(split='test') == dict(clips=5, expected=6, present=5)
    # clips 3 .. 7 are a b c a b
    assert row(split='test', classes=['b']) == dict(clips=2, expected=3, present=2)
    assert row(split='train', classes=['b']) == dict(clips=1, split_expected=4, split_present=3)
    assert row(split='test', indices=2) == dict(clips=2, expected=6, present=5)
    assert PoseDataset(tmp_path / 's').metainfo['extractor'] == ['rtmlib 1']
    write_store(tmp_path / 'half', splits=('train', 'train', 'test', 'test'), coverage=dict(train=2))
    assert 'expected' not in PoseDataset(tmp_path / 'half').coverage_row()


def test_classes_of_a_store_or_a_file(tmp_path, store):
    write_store(tmp_path / 'small', (3, 3), glosses=('c', 'a'))
    (tmp_path / 'glosses.txt').write_text('c\na\n\n')
    for classes in (str(tmp_path / 'small'), str(tmp_path / 'glosses.txt')):
        assert PoseDataset(store, classes=classes).labels.tolist() == [0, 2, 0, 2, 0, 2, 0]
        assert PoseDataset(store, classes=classes, relabel=True).glosses == ['c', 'a']
    with pytest.raises(
        FileNotFoundError, match=r"no such store or file of glosses, .*\(classes='gloss.txt'\)"
    ):
        PoseDataset(store, classes='gloss.txt')
