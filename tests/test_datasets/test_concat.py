import json
import os

import numpy as np
import pytest
import torch
from pose_store_fixtures import write_store

from signbert_mm.datasets import ConcatPoseDataset, PoseDataset
from signbert_mm.registry import DATASETS

RANDOM = [dict(type='RandomTemporalSample', clip_len=2)]


@pytest.fixture
def configs(tmp_path):
    write_store(tmp_path / 'one', (9, 8, 7, 6))
    write_store(tmp_path / 'two', (5, 9, 9), glosses=('x', 'y'))
    return [
        dict(type='PoseDataset', store=str(tmp_path / name), pipeline=RANDOM, prepare=f'make {name}')
        for name in ('one', 'two', 'three')
    ]


def test_index_order_and_values(configs):
    dataset = DATASETS.build(dict(type='ConcatPoseDataset', datasets=configs[:2]))
    assert len(dataset) == 7 and dataset.clip_len == 2 and dataset.layout.name == 'sign_49'
    order = [6, 0, 4, 3, 5]
    inputs = dataset.__getitems__(order)['inputs']
    assert inputs['index'].tolist() == order and inputs['label'].tolist() == [-1] * 5
    stores = [part.store for part in dataset.parts]
    for row, index in enumerate(order):
        points, _ = stores[index >= 4].clip(index - 4 * (index >= 4))
        np.testing.assert_array_equal(inputs['keypoints'][row], points[inputs['frames'][row]])
        item = dataset[index]['inputs']
        assert all(torch.equal(item[name], inputs[name][row]) for name in inputs)


def test_parts_draw_by_the_common_index(configs, tmp_path):
    write_store(tmp_path / 'long', (100,) * 4)
    part = dict(type='PoseDataset', store=str(tmp_path / 'long'), pipeline=RANDOM)
    dataset = ConcatPoseDataset([part, part])
    frames = dataset.__getitems__(list(range(8)))['inputs']['frames']
    assert not torch.equal(frames[:4], frames[4:])
    dataset.set_epoch(3)
    again = dataset.__getitems__(list(range(8)))['inputs']
    assert (
        not torch.equal(again['frames'], frames) and again['epoch'].tolist() == [3] * 8 and dataset.epoch == 3
    )


def test_the_next_time_of_a_clip_in_an_epoch(configs):
    dataset = ConcatPoseDataset([configs[0], configs[0]], keep_labels=True)
    order = [6, 1, 6 + 8, 1 + 16]
    inputs = dataset.__getitems__(order)['inputs']
    assert (
        inputs['index'].tolist() == order
        and inputs['label'].tolist() == dataset.labels[[6, 1, 6, 1]].tolist()
    )
    for row, clip in enumerate([2, 1, 2, 1]):
        points, _ = dataset.parts[0].store.clip(clip)
        np.testing.assert_array_equal(inputs['keypoints'][row], points[inputs['frames'][row]])


def test_labels(configs):
    dataset = ConcatPoseDataset([configs[0], configs[0]], keep_labels=True)
    assert dataset.labels.tolist() == [0, 1, 2, 0] * 2 and dataset.get_cat_ids(5) == [1]
    assert dataset.__getitems__([5, 2])['inputs']['label'].tolist() == [1, 2] and dataset.metainfo[
        'glosses'
    ] == ['a', 'b', 'c']
    with pytest.raises(
        ValueError, match=r"these differ: {'one': 3, 'two': 2} glosses; use keep_labels='union', or False"
    ):
        ConcatPoseDataset(configs[:2], keep_labels=True)
    with pytest.raises(ValueError, match="keep_labels is 'all'; choose True, False or 'union'"):
        ConcatPoseDataset(configs[:2], keep_labels='all')
    assert ConcatPoseDataset(configs[:2]).labels.tolist() == [-1] * 7


def test_labels_of_a_common_vocabulary(configs, tmp_path):
    write_store(tmp_path / 'other', (5, 9, 9), glosses=('d', 'b'))
    parts = [configs[0], dict(configs[0], store=str(tmp_path / 'other'))]
    dataset = ConcatPoseDataset(parts, keep_labels='union')
    assert dataset.glosses == ['a', 'b', 'c', 'd']
    assert dataset.labels.tolist() == [0, 1, 2, 0, 3, 1, 3]
    assert dataset.__getitems__([6, 3, 5, 0])['inputs']['label'].tolist() == [3, 0, 1, 0]


def test_missing_parts(configs, tmp_path):
    dataset = ConcatPoseDataset(configs, allow_missing=True)
    assert len(dataset) == 7
    lines = dataset.coverage().splitlines()
    assert lines[1].split() == ['one', 'all', '3', '4', str(tmp_path / 'one')]
    assert lines[3].split() == ['three', 'absent', '-', '-', str(tmp_path / 'three')]
    assert lines[4].split() == ['total', '2', 'of', '3', '7']
    with pytest.raises(FileNotFoundError, match='1 of 3 data sets are not there') as error:
        ConcatPoseDataset(configs)
    assert str(tmp_path / 'three') in str(error.value) and 'make three' in str(error.value)


def test_nothing_there(configs, tmp_path):
    for config in configs:
        config['store'] += '-not'
    with pytest.raises(FileNotFoundError, match='3 of 3') as error:
        ConcatPoseDataset(configs, allow_missing=True)
    for name in ('one', 'two', 'three'):
        assert str(tmp_path / f'{name}-not') in str(error.value) and f'make {name}' in str(error.value)
    assert 'configs/demo' in str(error.value)


def test_a_damaged_store_is_not_a_missing_one(configs):
    os.truncate(os.path.join(configs[1]['store'], 'keypoints.npy'), 500)
    with pytest.raises(ValueError, match='500 found: truncated'):
        ConcatPoseDataset(configs, allow_missing=True)


def test_parts_that_do_not_fit(configs):
    with pytest.raises(ValueError, match="same clip_len; found {'one': 2, 'two': 3}"):
        ConcatPoseDataset(
            [configs[0], {**configs[1], 'pipeline': [dict(type='RandomTemporalSample', clip_len=3)]}]
        )
    with pytest.raises(ValueError, match='same layout'):
        ConcatPoseDataset([configs[0], {**configs[1], 'layout': 'hands_42'}])
    with pytest.raises(ValueError, match='same clip_len'):
        ConcatPoseDataset([PoseDataset(configs[0]['store'])])
    with pytest.raises(ValueError, match='datasets is empty'):
        ConcatPoseDataset([])
    with pytest.raises(ValueError, match='no `store`'):
        ConcatPoseDataset([dict(type='PoseDataset')])


def test_test_mode(configs):
    dataset = ConcatPoseDataset([{**config, 'test_mode': True} for config in configs[:2]])
    assert (
        dataset.__getitems__([5, 0, 6])['video_id'] == ['v1', 'v0', 'v2'] and dataset[4]['video_id'] == 'v0'
    )


class TestMixedExtractors:
    @pytest.fixture
    def parts(self, tmp_path):
        def make(*about):
            for number, fields in enumerate(about):
                write_store(tmp_path / f's{number}', **dict(dict(overwrite=True), **fields))
            return [
                dict(type='PoseDataset', store=str(tmp_path / f's{number}'), pipeline=RANDOM)
                for number in range(len(about))
            ]

        return make

    @pytest.mark.parametrize(
        'other, said',
        [
            (
                dict(extractor='rtmlib', extractor_version='0.0.13'),
                's0: mediapipe 0.10.14 (sign_49); s1: rtmlib 0.0.13 (sign_49)',
            ),
            (dict(extractor='mediapipe', extractor_version='0.10.21'), 's1: mediapipe 0.10.21 (sign_49)'),
            (dict(), 's1: not recorded (sign_49)'),
            (
                dict(extractor='mediapipe', extractor_version='0.10.14', layout='mediapipe_holistic'),
                's1: mediapipe 0.10.14 (mediapipe_holistic)',
            ),
            (
                dict(notes=dict(extractors=['mediapipe 0.10.14', 'rtmlib 0.0.13'])),
                's1: mediapipe 0.10.14 + rtmlib 0.0.13 (sign_49)',
            ),
        ],
    )
    def test_mixed(self, parts, other, said, caplog):
        configs = parts(dict(extractor='mediapipe', extractor_version='0.10.14'), other)
        with pytest.raises(
            ValueError, match="several extractors, versions or layouts are mixed: .*mixed_extractors='allow'"
        ) as error:
            ConcatPoseDataset(configs, mixed_extractors='error')
        assert said in str(error.value)
        lines = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                'signbert_mm.datasets.concat.print_log',
                lambda text, logger, level=0: lines.append((level, text)),
            )
            dataset = ConcatPoseDataset(configs)
            assert any(level == 30 and said in text for level, text in lines)
            lines.clear()
            ConcatPoseDataset(configs, mixed_extractors='allow')
            assert all(level == 0 for level, _ in lines)
        assert dataset.metainfo['extractor'][0] == 'mediapipe 0.10.14'

    def test_of_one_kind(self, parts):
        ConcatPoseDataset(parts({}, {}), mixed_extractors='error')
        same = dict(extractor='rtmlib', extractor_version='1')
        assert ConcatPoseDataset(parts(same, same), mixed_extractors='error').metainfo['extractor'] == [
            'rtmlib 1'
        ]

    def test_a_store_that_is_a_mix_itself(self, parts):
        with pytest.raises(ValueError, match=r's0: a 1 \+ b 2 \(sign_49\)'):
            ConcatPoseDataset(parts(dict(notes=dict(extractors=['a 1', 'b 2']))), mixed_extractors='error')

    def test_unknown_option(self, configs):
        with pytest.raises(ValueError, match="mixed_extractors is 'maybe'; choose one of warn, error, allow"):
            ConcatPoseDataset(configs[:1], mixed_extractors='maybe')


def test_glosses_of_an_older_store_are_one_class_with_those_of_a_new_one(tmp_path):
    for name in ('old', 'new'):
        write_store(tmp_path / name, (4, 4), glosses=('caf\u00e9', 'hello'))
    meta = tmp_path / 'old' / 'meta.json'
    meta.write_text(json.dumps(dict(json.loads(meta.read_text()), glosses=['cafe\u0301', 'hello '])))
    parts = [dict(type='PoseDataset', store=str(tmp_path / name), pipeline=RANDOM) for name in ('old', 'new')]
    for keep_labels in (True, 'union'):
        dataset = ConcatPoseDataset(parts, keep_labels=keep_labels)
        assert dataset.glosses == ['caf\u00e9', 'hello'] and dataset.labels.tolist() == [0, 1, 0, 1]
