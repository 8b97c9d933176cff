"""The baseline: its features by hand, its figures on signs that it can tell apart, and the tool."""

import runpy
import sys

import numpy as np
import pytest

from signbert_mm.datasets import PoseDataset
from signbert_mm.datasets.pose_store_writer import PoseStoreWriter
from signbert_mm.evaluation.logistic_regression import hand_features, logistic_regression


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    """Three glosses of ten clips, the last without a test clip; 8 frames with the right hand, none in the
    first and the last.
    """
    folder = tmp_path_factory.mktemp('words') / 'store'
    random = np.random.RandomState(0)
    with PoseStoreWriter(folder, 'hands_42', ['fist', 'flat', 'never tested']) as writer:
        for label in range(3):
            for clip in range(10):
                keypoints = np.zeros((10, 42, 3), dtype=np.float32)
                turn = np.arange(21) * 0.1 * (1 + label)
                shape = 50 * np.stack([np.cos(turn), np.sin(turn)], -1)
                keypoints[1:9, 21:, :2] = 200 + shape + random.uniform(-1, 1, (8, 21, 2))
                keypoints[1:9, 21:, 2] = 1
                split = 'train' if clip < 5 or label == 2 else 'test'
                writer.add(keypoints, label, split, f'{label}_{clip}', width=640, height=480)
    return str(folder)


def test_features_by_hand(store):
    data = PoseDataset(store, layout='hands_42')
    features = hand_features(data).reshape(len(data), 10, 2, 44)
    assert not features[:, :, 0].any() and not features[:, [0, 9]].any()
    keypoints, _ = data.store.clip(13)
    hand = keypoints[7, 21:].astype(np.float64) / [640, 480]
    spread = max(np.hypot(*(a - b)) for a in hand for b in hand)
    np.testing.assert_allclose(features[13, 7, 1, :42], ((hand - hand[0]) / spread).ravel(), atol=1e-5)
    np.testing.assert_allclose(features[13, 7, 1, 42:], hand[0], atol=1e-6)


def test_frames_are_those_with_a_hand(store):
    data = PoseDataset(store, layout='hands_42')
    every, four = hand_features(data).reshape(-1, 10, 88), hand_features(data, frames=4).reshape(-1, 4, 88)
    np.testing.assert_array_equal(four, every[:, [2, 4, 6, 8]])


@pytest.mark.parametrize('components', [0, 5])
def test_signs_that_differ_are_told_apart(store, components):
    train, test = (PoseDataset(store, split, layout='hands_42') for split in ('train', 'test'))
    metrics = logistic_regression(train, test, frames=4, components=components, exclude=['fist'])
    assert metrics['p_i/top1'] == metrics['p_c/top1'] == metrics['p_i/without_excluded/top1'] == 100.0
    assert metrics['clips'] == 10 and metrics['classes/absent'] == 1


def test_a_gloss_without_training_clips_is_never_the_answer(store):
    train = PoseDataset(store, 'train', layout='hands_42', indices=range(5, 10))
    train_two = PoseDataset(store, 'train', layout='hands_42', indices=[*range(5, 10), *range(10, 15)])
    assert set(train.labels) == {1}
    metrics = logistic_regression(train_two, PoseDataset(store, 'test', layout='hands_42'), frames=4)
    assert metrics['p_c/top1'] == 50.0  # 'flat' alone is known


def test_clips_to_train_on_are_not_tested(store):
    data = PoseDataset(store, ['train', 'test'], layout='hands_42')
    test = PoseDataset(store, 'test', layout='hands_42')
    with pytest.raises(ValueError, match='10 of 10 test clips are training clips too'):
        logistic_regression(data, test, frames=4)


def test_no_more_components_than_features(store):
    """A frame of two hands has 88."""
    train, test = (PoseDataset(store, split, layout='hands_42') for split in ('train', 'test'))
    train.clips, train.labels = np.tile(train.clips, 7), np.tile(train.labels, 7)
    assert len(train.clips) > 88
    assert logistic_regression(train, test, frames=1, components=999)['clips'] == 10


def test_clips_without_a_label_are_left_out_of_training_and_refused_in_the_test(store, tmp_path):
    """As many unlabelled clips of 'flat' as of the rest: they make no class of their own."""
    whole = PoseDataset(store, layout='hands_42')
    with PoseStoreWriter(tmp_path / 'part', 'hands_42', whole.glosses) as writer:
        for index in range(20):
            keypoints, scores = whole.store.clip(index)
            clip = np.concatenate([keypoints, scores[..., None]], -1)
            label = -1 if index % 2 else int(whole.labels[index])
            writer.add(clip, label, 'train', str(index), width=640, height=480)
    train = PoseDataset(str(tmp_path / 'part'), layout='hands_42')
    test = PoseDataset(store, 'test', layout='hands_42')
    metrics = logistic_regression(train, test, frames=4, components=50)
    assert metrics['p_i/top1'] == 100.0
    with pytest.raises(ValueError, match=r'part: 10 of 20 clips have no label \(-1\).*choose labelled clips'):
        logistic_regression(test, train, frames=4)


def test_other_label_maps_are_refused(store, tmp_path):
    with PoseStoreWriter(tmp_path / 'other', 'hands_42', ['fist']) as writer:
        writer.add(np.ones((10, 42, 3), np.float32), 0, 'test', 'a', width=640, height=480)
    other = PoseDataset(str(tmp_path / 'other'), layout='hands_42')
    with pytest.raises(ValueError, match='other label maps'):
        logistic_regression(PoseDataset(store, layout='hands_42'), other)


def test_clips_of_other_lengths_need_a_number_of_frames(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'hands_42', ['a']) as writer:
        for length in (3, 4):
            points = np.full((length, 42, 3), 100, np.float32)
            points[..., 2] = 1
            writer.add(points, 0, 'train', str(length), width=640, height=480)
    data = PoseDataset(str(tmp_path / 's'), layout='hands_42')
    with pytest.raises(ValueError, match='say how many frames'):
        hand_features(data)
    assert hand_features(data, frames=2).shape == (2, 2 * 88)


def test_the_tool(store, root, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['logistic_regression.py', store, '--frames', '4'])
    runpy.run_path(str(root / 'tools' / 'analysis_tools' / 'logistic_regression.py'), run_name='__main__')
    assert '20 clips of train, 10 of test: P-I top-1 100.00' in capsys.readouterr().out
