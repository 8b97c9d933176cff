from dataclasses import replace

import numpy as np
import pytest
from mmengine.config import Config

from signbert_mm.apis import PoseClip
from signbert_mm.apis.torch_backends import spec_of_config
from signbert_mm.datasets.transforms import TemporalSample
from signbert_mm.registry import TRANSFORMS


def test_two_numbers_or_three():
    poses = np.arange(2 * 42 * 2, dtype=np.float64).reshape(2, 42, 2)
    poses[0, 0] = 0
    clip = PoseClip.make(poses, 'hands_42', (640, 480))
    assert clip.scores[0, 0] == 0 and (clip.scores.ravel()[1:] == 1).all()  # (0, 0) = missing
    assert clip.keypoints.dtype == np.float32 and np.array_equal(clip.keypoints, poses)
    scores = np.full((2, 42), 0.5)
    scores[1, 3] = 0
    clip = PoseClip.make(poses, 'hands_42', (640, 480), scores)
    assert clip.keypoints[1, 3].tolist() == [0, 0] and clip.scores[0, 0] == 0.5
    three = np.concatenate([poses, 2 * scores[..., None] + 1], -1)
    assert (PoseClip.make(three, 'hands_42', (640, 480)).scores == 1).all()


def test_hands_found():
    poses = np.ones((3, 42, 3))
    poses[1, :21] = poses[2, 21:] = 0
    poses[2, :11] = 0  # ten joints are left
    clip = PoseClip.make(poses, 'hands_42', (64, 64))
    assert clip.hands_found().tolist() == [[True, True], [False, True], [True, False]]
    assert len(clip.cut(1, 3)) == 2 and clip.pick(np.array([2, 0])).scores[0, 20] == 1
    poses[2, 11] = 0
    assert PoseClip.make(poses, 'hands_42', (64, 64)).hands_found()[2].tolist() == [False, False]
    assert PoseClip.make(np.ones((1, 21, 2)), 'hand_21', (64, 64)).hands_found().tolist() == [[False, True]]


def test_pieces_keep_what_belongs_to_their_frames():
    clip = PoseClip.make(np.ones((6, 42, 3)), 'hands_42', (64, 64), fps=5)
    clip = replace(clip, times=np.arange(6) / 5, hand_valid=np.eye(6, 2, dtype=bool), video='v.mp4')
    piece = clip.cut(1, 5).cut(1, 9)
    assert (
        piece.span == (2, 3, 6) and piece.times.tolist() == [0.4, 0.6, 0.8] and not piece.hands_found().any()
    )
    picked = clip.pick(np.array([1, 0]))
    assert (
        picked.hands_found().tolist() == [[False, True], [True, False]]
        and picked.times.tolist() == [0.2, 0]
        and picked.video == ''
    )


@pytest.mark.parametrize(
    'poses, message',
    [
        (np.zeros((0, 42, 3)), 'no frames'),
        (np.zeros((4, 42)), r'give numbers of shape \(T, V, 2\)'),
        (np.zeros((4, 41, 3)), '41 joints found'),
        (np.full((4, 42, 3), np.nan), 'x is nan'),
        (-np.ones((4, 42, 3)), 'negative'),
        (np.full((4, 42, 2), 1e30), 'px lies outside of every image'),
        (np.array([['a']]), 'give numbers'),
    ],
)
def test_bad_poses(poses, message):
    with pytest.raises(ValueError, match=message):
        PoseClip.make(poses, 'hands_42', (640, 480), name='x')


def test_bad_facts():
    poses = np.ones((4, 42, 2))
    for options, message in (
        (dict(image_size=(0, 5)), 'image_size'),
        (dict(image_size=640), 'image_size'),
        (dict(image_size=(6, 5), fps=-1), 'fps'),
        (dict(image_size=(6, 5), scores=np.ones((4, 41))), 'scores of shape'),
    ):
        with pytest.raises(ValueError, match=message):
            PoseClip.make(poses, 'hands_42', **options)


def test_lists():
    made = PoseClip.make(np.ones((2, 21, 3)).tolist(), 'hand_21', [64, 48])
    assert made.keypoints.shape == (2, 21, 2) and made.image_size == (64, 48)
    with pytest.raises(
        ValueError,
        match=r'poses: lists of unequal lengths.*found; give numbers of shape '
        r'\(T, V, 2\) or \(T, V, 3\)',
    ):
        PoseClip.make([[[1, 2, 3]], [[1, 2]]], 'hand_21', (64, 48))
    for size in (('64', '48'), (64, np.nan), 64, None, (64, 48, 3)):
        with pytest.raises(ValueError, match='image_size is'):
            PoseClip.make(np.ones((2, 21, 3)), 'hand_21', size)


@pytest.mark.parametrize(
    'training, testing',
    [
        (dict(type='RandomTemporalSample', clip_len=4), dict(type='CenterTemporalSample', clip_len=4)),
        (
            dict(type='UniformTemporalSample', clip_len=4, repeat=False),
            dict(type='UniformTemporalSample', clip_len=4, repeat=False, test_mode=True),
        ),
        (
            dict(type='RandomWindowSample', clip_len=4, crop=0.3, rest=0.2),
            dict(type='UniformTemporalSample', clip_len=4, test_mode=True),
        ),
    ],
)
def test_a_config_of_training_data_alone_is_read_without_draws(training, testing):
    dataset = dict(type='PoseDataset', store='nowhere', pipeline=[training])
    spec, steps = spec_of_config(Config(dict(train_dataloader=dict(dataset=dataset))))
    assert spec.temporal == testing and steps == []
    assert isinstance(TRANSFORMS.build(spec.temporal), TemporalSample)
