"""Uni-Sign's pickles as stores."""

import os
import pickle

import numpy as np
import pytest
from pose_store_fixtures import convert

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.importers import UniSignClips
from signbert_mm.prepare.importers.unisign import read_unisign
from signbert_mm.prepare.sources import open_poses


def write(path, frames=4, people=1, **fields):
    """A file as the project's pose_extraction.py writes it; returns keypoints (T, P, 133, 2) and scores."""
    random = np.random.RandomState(frames)
    keypoints, scores = (
        random.uniform(0.05, 0.9, (frames, people, 133, 2)),
        random.uniform(0.2, 0.4, (frames, people, 133)),
    )
    scores[:, people - 1] += 0.5
    content = dict(keypoints=list(keypoints), scores=list(scores.astype(np.float32)), **fields)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        pickle.dump(content, file)
    return keypoints, scores.astype(np.float32)


@pytest.mark.parametrize('people', [1, 2])
def test_clips(tmp_path, people):
    keypoints, scores = write(tmp_path / 'p' / 'a.pkl', people=people)
    write(tmp_path / 'p' / 'deep' / 'b.pkl', 3)
    clips = UniSignClips(str(tmp_path / 'p'), None, 640, 480, 25.0)
    first, second = clips
    assert (first.video_id, second.video_id, first.label, first.fps) == ('a', 'deep/b', -1, 25)
    np.testing.assert_allclose(first.keypoints[..., :2], keypoints[:, -1] * (640, 480), rtol=1e-6)
    np.testing.assert_array_equal(first.keypoints[..., 2], scores[:, -1])


def test_frames_of_a_clip_and_joints_that_are_not_seen(tmp_path):
    keypoints, scores = write(tmp_path / 'a.pkl', 6, start=2, end=5)
    assert len(read_unisign(str(tmp_path / 'a.pkl'))) == 3
    keypoints[3, 0, 7] = -1 / 640
    scores[3, 0, 7] = -0.01
    content = dict(keypoints=[*keypoints, np.zeros((0, 133, 2))], scores=[*scores, np.zeros((0, 133))])
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(content))
    pose = read_unisign(str(tmp_path / 'a.pkl'))
    assert pose.shape == (7, 133, 3) and not pose[3, 7].any() and not pose[6].any() and pose[3, 6].all()


def test_the_tool_and_as_poses_of_a_data_set(tmp_path, root, monkeypatch):
    write(tmp_path / 'p' / 'a.pkl')
    write(tmp_path / 'p' / 'b.pkl', 5)
    (tmp_path / 'labels.csv').write_text('file,gloss,split,signer\na.mp4,yes,train,S1\nb.pkl,no,test,\n')
    options = ['--labels', tmp_path / 'labels.csv', '--width', 640, '--height', 480]
    convert(root, monkeypatch, 'unisign_to_store.py', tmp_path / 'p', tmp_path / 's', *options)
    store = PoseStore(tmp_path / 's')
    store.verify()
    assert store.glosses == ['no', 'yes'] and store.label.tolist() == [1, 0] and store.signer[0] == 'S1'
    assert store.layout.name == 'coco_wholebody_133' and store.length.tolist() == [4, 5]
    source = open_poses(str(tmp_path / 'p'), width=640, height=480)
    np.testing.assert_array_equal(source.read(source.find('b')).keypoints[..., :2], store.clip(1)[0])


@pytest.mark.parametrize(
    'content, message',
    [
        ([1], 'list found'),
        (dict(keypoints=[]), r"\['keypoints'\] found"),
        (dict(keypoints=[], scores=[]), 'keypoints of 0 frames and scores of 0'),
        (dict(keypoints=3, scores=4), 'keypoints of 0 frames'),
        (
            dict(keypoints=[np.zeros((1, 17, 2))], scores=[np.zeros((1, 17))]),
            r'frame 0: keypoints of shape \(1, 17, 2\)',
        ),
        (dict(keypoints=[np.zeros((1, 133, 2))], scores=[np.zeros((1, 7))]), r'scores of shape \(1, 7\)'),
        (dict(keypoints=[np.full((1, 133, 2), 99.0)], scores=[np.ones((1, 133))]), 'coordinates up to 99'),
        (dict(keypoints=[np.full((1, 133, 2), np.nan)], scores=[np.ones((1, 133))]), 'up to nan'),
        (
            dict(keypoints=[np.zeros((1, 133, 2))], scores=[np.ones((1, 133))], start=1, end=2),
            'start 1 and end 2 in 1',
        ),
        (
            dict(keypoints=[np.zeros((1, 133, 2))], scores=[np.ones((1, 133))], start='0'),
            "start '0' and end 1",
        ),
        (print, 'refused'),
    ],
)
def test_what_is_no_such_file(tmp_path, content, message):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=f'a.pkl: .*{message}'):
        list(UniSignClips(str(tmp_path), None, 640, 480))


def test_an_image_size_is_needed(tmp_path):
    write(tmp_path / 'a.pkl')
    with pytest.raises(ValueError, match='give --width and --height'):
        UniSignClips(str(tmp_path))
    with pytest.raises(ValueError, match='give --width and --height'):
        open_poses(str(tmp_path))
    with pytest.raises(FileNotFoundError, match='no such .pkl files'):
        UniSignClips(str(tmp_path / 'x'), None, 640, 480)
