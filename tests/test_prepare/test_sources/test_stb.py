import sys

import numpy as np
import pytest
from hand_points import left_hand, right_hand

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources.stb import (
    BB_CAMERA,
    OFFICIAL,
    SK_CAMERA,
    TEST_SEQUENCES,
    TRAIN_SEQUENCES,
    StbClips,
    rotation_matrix,
)

savemat = pytest.importorskip('scipy.io', reason='.mat files are written with scipy').savemat
# the owners' order (README of the data set): palm, little, ring, middle, index finger, thumb -> hand_21
TO_STB = [0, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4]
FRAMES = 4


def make_stb(folder, camera='SK', hand=left_hand, frames=FRAMES):
    """A folder in the official layout; returns the joints by sequence, hand_21 order, the palm centre in the
    wrist's place.
    """
    (folder / 'labels').mkdir(parents=True)
    made = {}
    for number, name in enumerate(TRAIN_SEQUENCES + TEST_SEQUENCES):
        points = hand(frames, number)
        points[:, 0] = (points[:, 0] + points[:, 9]) / 2
        made[name] = points
        savemat(
            folder / 'labels' / f'{name}_{camera}.mat', dict(handPara=points[:, TO_STB].transpose(2, 1, 0))
        )
    return made


@pytest.fixture(scope='module')
def stb(tmp_path_factory):
    folder = tmp_path_factory.mktemp('stb')
    return folder, make_stb(folder)


def test_official_counts():
    assert dict(train=15000, test=3000) == OFFICIAL
    assert len(TRAIN_SEQUENCES) == 10 and not set(TRAIN_SEQUENCES) & set(TEST_SEQUENCES)


def test_rotation_matrix_by_hand():
    np.testing.assert_allclose(rotation_matrix([0, 0, np.pi / 2]) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(
        rotation_matrix([0.1, -0.2, 0.3]) @ rotation_matrix([-0.1, 0.2, -0.3]), np.eye(3), atol=1e-12
    )
    np.testing.assert_array_equal(rotation_matrix([0, 0, 0]), np.eye(3))


def test_colour_camera(stb):
    """colour = R' (depth - t), K colour, as in the owners' positionCalc.m, in plain loops."""
    folder, made = stb
    clips = list(StbClips(str(folder)))
    assert len(clips) == 12 * FRAMES and {len(clip.keypoints) for clip in clips} == {1}
    assert [clip.split for clip in clips].count('test') == 2 * FRAMES
    clip = next(clip for clip in clips if clip.video_id == 'B3Random/00002')
    rotation = rotation_matrix([0.00531, -0.01196, 0.00301])
    matrix = np.asarray([[607.92271, 0, 314.78337], [0, 607.88192, 236.42484], [0, 0, 1]])
    for joint in range(1, 21):
        depth = made['B3Random'][2, joint]
        colour = np.linalg.solve(rotation, depth - np.asarray([-24.0381, -0.4563, -1.2326]))
        u, v, w = matrix @ colour
        np.testing.assert_allclose(clip.keypoints[0, joint], [u / w, v / w, 1], rtol=1e-5)
    np.testing.assert_array_equal(clip.keypoints[0, 0], 0)  # the wrist is not annotated
    assert (clip.width, clip.height, clip.label) == (640, 480, -1)


def test_stereo_camera_and_the_wrist(tmp_path):
    made = make_stb(tmp_path, 'BB')['B1Counting'][1]

    def wrist(**options):
        clip = next(
            clip for clip in StbClips(str(tmp_path), 'BB', **options) if clip.video_id == 'B1Counting/00001'
        )
        np.testing.assert_allclose(clip.keypoints[0, 9, :2], BB_CAMERA.project(made[9]), rtol=1e-5)
        return clip.keypoints[0, 0]

    assert wrist().tolist() == [0, 0, 0]
    np.testing.assert_allclose(wrist(wrist='palm'), [*BB_CAMERA.project(made[0]), 1], rtol=1e-5)
    np.testing.assert_allclose(
        wrist(wrist='extrapolate'), [*BB_CAMERA.project(2 * made[0] - made[9]), 1], rtol=1e-5
    )
    np.testing.assert_allclose(
        wrist(wrist='extrapolate', through='ring'), [*BB_CAMERA.project(2 * made[0] - made[13]), 1], rtol=1e-5
    )
    assert SK_CAMERA.width == 640


def test_unannotated_joints_and_sequences_as_clips(tmp_path):
    made = make_stb(tmp_path)
    points = made['B2Random'].copy()
    points[0, [0, 8]] = 0
    savemat(tmp_path / 'labels' / 'B2Random_SK.mat', dict(handPara=points[:, TO_STB].transpose(2, 1, 0)))
    clips = {
        clip.video_id: clip.keypoints for clip in StbClips(str(tmp_path), wrist='extrapolate', clip_len=0)
    }
    assert len(clips) == 12 and len(clips['B2Random/00000']) == FRAMES
    np.testing.assert_array_equal(clips['B2Random/00000'][0, [0, 8]], 0)
    assert (clips['B2Random/00000'][1:, :, 2] == 1).all() and clips['B2Random/00000'][0, :, 2].sum() == 19


def test_tool(stb, run_converter, capsys):
    folder, _ = stb
    run_converter('stb_to_store.py', folder, 'data/stb', '--clip-len', 3)
    store = PoseStore('data/stb')
    assert (
        store.split_counts() == dict(train=20, test=4)
        and store.layout.name == 'hand_21'
        and store.glosses == []
    )
    assert store.coverage == dict(train=dict(expected=20, present=20), test=dict(expected=4, present=4))
    assert (
        store.meta['notes']['wrist'] == 'missing'
        and store.meta['notes']['side'] == 'left'
        and store.meta['extractor'] == 'annotation'
    )
    assert store.meta['notes']['official_frames'] == OFFICIAL
    assert '15,000 by the owners' in capsys.readouterr().out
    run_converter('stb_to_store.py', folder, 'data/stb', '--overwrite')
    assert PoseStore('data/stb').official == OFFICIAL


def test_bad_folders(stb, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match='12 of 12 annotations are absent: B2Counting_SK.mat'):
        StbClips(str(tmp_path))
    make_stb(tmp_path)
    labels = tmp_path / 'labels'
    good = (labels / 'B4Random_SK.mat').read_bytes()
    with pytest.raises(FileNotFoundError, match='B2Counting_BB.mat'):
        StbClips(str(tmp_path), camera='BB')
    (tmp_path / 'B4Random_SK.mat').write_bytes(good)
    with pytest.raises(ValueError, match='B4Random_SK.mat is there twice'):
        StbClips(str(tmp_path))
    (tmp_path / 'B4Random_SK.mat').unlink()
    (labels / 'B4Random_SK.mat').write_bytes(good[:300])
    with pytest.raises(ValueError, match='B4Random_SK.mat: not a MATLAB file'):
        StbClips(str(tmp_path))
    savemat(labels / 'B4Random_SK.mat', dict(other=np.zeros((3, 21, 4))))
    with pytest.raises(ValueError, match=r"no array handPara; found \['other'\]"):
        StbClips(str(tmp_path))
    savemat(labels / 'B4Random_SK.mat', dict(handPara=np.zeros((3, 20, 4))))
    with pytest.raises(ValueError, match=r'shape \(3, 20, 4\); expected'):
        StbClips(str(tmp_path))
    points = left_hand(FRAMES)
    points[3, 7, 2] = np.nan
    savemat(labels / 'B4Random_SK.mat', dict(handPara=points[:, TO_STB].transpose(2, 1, 0)))
    with pytest.raises(ValueError, match='B4Random, frame 3: joint forefinger3'):
        list(StbClips(str(tmp_path)))
    for options in (
        dict(camera='XX'),
        dict(wrist='guess'),
        dict(test_sequences=('B9Random',)),
        dict(clip_len=-1),
    ):
        with pytest.raises(ValueError, match='STB'):
            StbClips(str(stb[0]), **options)
    monkeypatch.setitem(sys.modules, 'scipy.io', None)
    with pytest.raises(ImportError, match='pip install scipy'):
        StbClips(str(stb[0]))


def test_the_side_is_checked(tmp_path):
    make_stb(tmp_path, hand=right_hand)
    with pytest.raises(ValueError, match=r'this is a right hand in \d+% of the frames.*--side right'):
        StbClips(str(tmp_path))
    assert StbClips(str(tmp_path), side='right').right_hand_share > 0.9
