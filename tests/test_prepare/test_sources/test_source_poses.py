import os
import pickle
import shutil

import numpy as np
import pytest
from source_fixtures import poses, write_poses

from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.prepare.importers import UnreadableError
from signbert_mm.prepare.sources import open_poses


def write_store(folder, **kwargs):
    with PoseStoreWriter(folder, 'coco_wholebody_133', [], **kwargs) as writer:
        for name, frames in (('train/a', 3), ('b', 4)):
            writer.add(poses(frames), -1, 'all', name, width=320, height=240, fps=30.0)
        return writer.close()


def test_store(tmp_path):
    write_store(
        tmp_path / 's',
        extractor='mediapipe',
        extractor_version='0.10.21',
        notes=dict(extraction=dict(fingerprint='abcd')),
    )
    source = open_poses(str(tmp_path / 's'))
    assert (
        source.layout == 'coco_wholebody_133'
        and source.extractors == ['mediapipe 0.10.21 [abcd]']
        and len(source) == 2
    )
    pose = source.read(source.find('a'))
    np.testing.assert_array_equal(pose.keypoints, poses(3))
    assert (pose.width, pose.height, pose.fps) == (320, 240, 30.0) and source.find('c') is None
    write_store(tmp_path / 't', extractor='a 1; b 2', notes=dict(extractors=['a 1', 'b 2']))
    assert open_poses(str(tmp_path / 't')).extractors == ['a 1', 'b 2']
    write_store(tmp_path / 'u')
    assert open_poses(str(tmp_path / 'u')).extractors == [f'unknown ({tmp_path / "u"})']


def test_arrays(tmp_path):
    scored = poses(4)
    np.save(tmp_path / 'three.npy', scored)
    plain = scored[..., :2].copy()
    plain[1, 5] = 0
    np.savez(tmp_path / 'two.npz', plain)
    np.savez(
        tmp_path / 'named.npz', keypoints=plain, scores=scored[..., 2] * 0.5, width=100, height=80, fps=12.5
    )
    source = open_poses(str(tmp_path), width=320, height=240, extractor='mine 2')
    assert (
        source.layout == 'coco_wholebody_133'
        and source.extractors == ['mine 2']
        and sorted(source.names()) == ['named', 'three', 'two']
    )
    np.testing.assert_array_equal(source.read('three').keypoints, scored)
    two, named = source.read('two'), source.read('named')
    assert (
        two.keypoints[1, 5].tolist() == [0, 0, 0]
        and two.keypoints[1, 6, 2] == 1
        and (two.width, two.height, two.fps) == (320, 240, 0)
    )
    assert (named.keypoints[..., 2] == 0.5).all() and (named.width, named.height, named.fps) == (
        100,
        80,
        12.5,
    )


def test_arrays_in_fractions(tmp_path):
    np.save(tmp_path / 'a.npy', poses(2, 75) / [640, 480, 1])
    with pytest.raises(
        ValueError,
        match=r'a.npy: no coordinate is above 0\.\d+, so these are not pixels; '
        r'give --coordinates fractions',
    ):
        open_poses(str(tmp_path)).read('a')
    with pytest.raises(ValueError, match='need its size; give --width'):
        open_poses(str(tmp_path), coordinates='fractions').read('a')
    pose = open_poses(str(tmp_path), width=640, height=480, coordinates='fractions').read('a')
    np.testing.assert_allclose(pose.keypoints, poses(2, 75), rtol=1e-5)
    with pytest.raises(ValueError, match="coordinates are 'metres'"):
        open_poses(str(tmp_path), coordinates='metres')


def test_wrong_number_of_joints_names_file_and_counts(tmp_path):
    write_poses(tmp_path, dict(a=3))
    write_poses(tmp_path, dict(b=3), joints=75)
    with pytest.raises(ValueError, match=r'b\.npz.*75.*133'):
        open_poses(str(tmp_path)).read('b')
    with pytest.raises(ValueError, match=r'a\.npz.*133.*75'):
        open_poses(str(tmp_path), layout='mediapipe_holistic').read('a')
    np.save(tmp_path / 'a.npy', np.zeros((2, 50, 3)))
    os.remove(tmp_path / 'a.npz')
    with pytest.raises(ValueError, match=r'a\.npy: 50 joints found; layouts have .*give one \(--layout\)'):
        open_poses(str(tmp_path))


def test_arrays_that_are_wrong(tmp_path):
    write_poses(tmp_path, dict(a=3))
    (tmp_path / 'torn.npy').write_bytes(b'\x93NUMPY')
    (tmp_path / 'empty.npz').write_bytes(b'')
    np.save(tmp_path / 'none.npy', np.zeros((0, 133, 3)))
    np.save(tmp_path / 'flat.npy', np.zeros((3, 399)))
    np.savez(tmp_path / 'odd.npz', x=np.zeros(3), y=np.zeros(3))
    np.savez(tmp_path / 'score.npz', keypoints=poses(3), scores=np.ones((3, 2)))
    np.save(tmp_path / 'objects.npy', np.asarray([dict(a=1)], dtype=object), allow_pickle=True)
    source = open_poses(str(tmp_path))
    for name, message in (
        ('torn', 'torn'),
        ('empty', 'empty'),
        ('none', 'none.npy: no frames'),
        ('objects', 'objects.npy: cannot be read .an array holds Python objects, .*; save it as numbers'),
        ('flat', r'shape \(3, 399\)'),
        ('odd', r"arrays \['x', 'y'\]"),
        ('score', r'scores are float64 of shape \(3, 2\)'),
    ):
        with pytest.raises(UnreadableError, match=message):
            source.read(name)


def test_no_file_can_be_read(tmp_path):
    np.save(tmp_path / 'a.npy', np.zeros((3, 399)))
    (tmp_path / 'b.npy').write_bytes(b'')
    with pytest.raises(ValueError, match=r'none of its 2 files can be read, the first: .*a\.npy: float64 of'):
        open_poses(str(tmp_path))


def test_size_and_rate_of_arrays(tmp_path):
    np.savez(tmp_path / 'a.npz', keypoints=poses(2), width=0, height=np.float64(240.7), fps=[25.0])
    pose = open_poses(str(tmp_path), width=320, height=1).read('a')
    assert (pose.width, pose.height, pose.fps) == (320, 240, 25.0)


def test_a_single_file_is_no_source(tmp_path):
    np.save(tmp_path / 'a.npy', poses(3))
    for name in ('a.npy', 'b.pose', 'list.csv'):
        (tmp_path / name).touch()
        with pytest.raises(ValueError, match=rf'{name}: of files only a pickle of pyskl .*; give the folder'):
            open_poses(str(tmp_path / name))


def test_one_id_in_two_splits(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'coco_wholebody_133', []) as writer:
        for split in ('train', 'test'):
            writer.add(poses(2), -1, split, 'a', width=320, height=240)
        writer.close()
    message = r"'a' is there twice: clip 0 \(split train\) and clip 1 \(split test\); make this store anew"
    with pytest.raises(ValueError, match=message):
        open_poses(str(tmp_path / 's'))


def test_pyskl(tmp_path):
    values = poses(3, 133)
    annotations = [
        dict(
            frame_dir=name,
            total_frames=3,
            img_shape=(240, 320),
            label=0,
            keypoint=values[None, ..., :2],
            keypoint_score=values[None, ..., 2],
        )
        for name in ('a.mp4', '4.7-b')
    ]
    with open(tmp_path / 'p.pkl', 'wb') as file:
        pickle.dump(dict(split=dict(x=['a.mp4']), annotations=annotations), file)
    source = open_poses(str(tmp_path / 'p.pkl'), layout='coco_wholebody_133', extractor='hrnet')
    assert source.names() == ['a', '4.7-b'] and source.extractors == ['hrnet']
    pose = source.read('4.7-b')
    np.testing.assert_array_equal(pose.keypoints, values)
    assert (pose.width, pose.height) == (320, 240)
    with pytest.raises(ValueError, match='133.*75'):
        open_poses(str(tmp_path / 'p.pkl'), layout='mediapipe_holistic').read('a')


def test_pose_files(tmp_path, shared):
    pytest.importorskip('pose_format')
    files = sorted((shared / 'data' / 'pose_format').glob('*.pose'))[:2]
    for file in files:
        shutil.copy(file, tmp_path)
    os.chmod(tmp_path / files[1].name, 0o644)
    source = open_poses(str(tmp_path))
    assert source.layout == 'mediapipe_holistic'
    pose = source.read(files[0].stem)
    assert pose.keypoints.shape[1:] == (75, 3) and pose.width and pose.fps
    # The layout is that of the first file that can be read.
    data = files[0].read_bytes()
    os.chmod(tmp_path / files[0].name, 0o644)
    (tmp_path / files[0].name).write_bytes(data[: len(data) // 2])
    source = open_poses(str(tmp_path))
    assert source.layout == 'mediapipe_holistic' and source.read(files[1].stem).fps
    with pytest.raises(UnreadableError, match=files[0].name):
        source.read(files[0].stem)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: no such file or folder'):
        open_poses(str(tmp_path / 'nowhere'))
    with pytest.raises(FileNotFoundError, match='no .npy or .npz files'):
        open_poses(str(tmp_path))
