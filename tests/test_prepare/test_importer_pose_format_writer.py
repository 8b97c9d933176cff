"""Stores as .pose files, and back."""

import os

import numpy as np
import pytest
from pose_store_fixtures import convert

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.layouts import get_layout, map_joints
from signbert_mm.prepare.importers import PoseFormatClips, export_pose_format, write_clips


def make_store(folder, layout='coco_wholebody_133', size=(320, 240), **options):
    random, joints = np.random.RandomState(0), get_layout(layout).num_joints
    with PoseStoreWriter(folder, layout, ['no', 'yes'], **options) as writer:
        for number, (name, split, label) in enumerate(
            [('a', 'train', 1), ('deep/b', 'val', 0), ('a', 'test', 0), ('c', 'train', -1)]
        ):
            clip = random.uniform(1, size[0] * 0.6, (4 + number, joints, 3))
            clip[..., 2] = random.uniform(0, 1, clip.shape[:2])
            clip[1, :5] = 0
            writer.add(clip, label, split, name, f'S{number}', width=size[0], height=size[1], fps=12.5)
        return writer.close()


@pytest.mark.parametrize('layout', ['coco_wholebody_133', 'mediapipe_holistic', 'openpose'])
@pytest.mark.parametrize('dtype', ['float32', 'int16'])
def test_round_trip(tmp_path, layout, dtype):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    store = make_store(tmp_path / 's', layout, dtype=dtype)
    assert export_pose_format(store, tmp_path / 'p') == 3
    assert sorted(os.listdir(tmp_path / 'p')) == ['c.pose', 'deep', 'labels.csv', 'test', 'train']
    clips = PoseFormatClips(str(tmp_path / 'p'), str(tmp_path / 'p' / 'labels.csv'))
    again = write_clips(PoseStoreWriter(tmp_path / 't', clips.layout, clips.glosses), clips)
    assert again.layout.name == layout and again.glosses == ['no', 'yes']
    assert again.video_id.tolist() == ['deep/b', 'test/a', 'train/a']
    for place, index in enumerate((1, 2, 0)):
        for one, other in zip(store.clip(index), again.clip(place)):
            np.testing.assert_array_equal(one, other)
        for name in ('label', 'split', 'signer', 'width', 'height', 'fps'):
            assert getattr(again, name)[place] == getattr(store, name)[index], name
    # Clips without a gloss are there too.
    assert len(PoseFormatClips(str(tmp_path / 'p'))) == 4


def test_other_layouts_go_by_name(tmp_path):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    store = make_store(tmp_path / 's', 'sam_slr_27')
    export_pose_format(store, tmp_path / 'p')
    clip = next(iter(PoseFormatClips(str(tmp_path / 'p' / 'c.pose'))))
    values = np.concatenate([store.clip(3)[0], store.clip(3)[1][..., None]], axis=-1)
    target = get_layout('coco_wholebody_133')
    np.testing.assert_array_equal(clip.keypoints, map_joints(values, store.layout, target))


def test_what_is_not_written(tmp_path):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    store = make_store(tmp_path / 's', size=(70000, 70000))
    with pytest.raises(ValueError, match="clip 'a' is of an image of 70000 x 70000 pixels"):
        export_pose_format(store, tmp_path / 'p')
    assert os.listdir(tmp_path) == ['s']
    (tmp_path / 'p').mkdir()
    with pytest.raises(FileExistsError, match='--overwrite'):
        export_pose_format(store, tmp_path / 'p')


def test_a_folder_of_poses_alone_is_replaced(tmp_path):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    store = make_store(tmp_path / 's')
    export_pose_format(store, tmp_path / 'p')
    assert export_pose_format(store, tmp_path / 'p', overwrite=True) == 3
    for name in ('mine.txt', 'deep/labels.csv'):
        (tmp_path / 'p' / name).write_text('mine')
        with pytest.raises(FileExistsError, match=f"p exists and holds '{name}', which would be lost"):
            export_pose_format(store, tmp_path / 'p', overwrite=True)
        (tmp_path / 'p' / name).unlink()
    with pytest.raises(FileExistsError, match="s exists and holds 'clips.npz'"):
        export_pose_format(store, store.folder, overwrite=True)


def test_the_tools(tmp_path, root, monkeypatch, capsys):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    make_store(tmp_path / 's')
    convert(root, monkeypatch, 'store_to_pose.py', tmp_path / 's', tmp_path / 'p')
    assert '4 .pose files, 3 of them in labels.csv' in capsys.readouterr().out
    labels = tmp_path / 'p' / 'labels.csv'
    convert(root, monkeypatch, 'pose_to_store.py', tmp_path / 'p', tmp_path / 't', '--labels', labels)
    assert PoseStore(tmp_path / 't').split_counts() == dict(val=1, test=1, train=1)


def test_pose_format_writes_what_it_knows(tmp_path):
    """Whole-body files have the components that the package's own have."""
    header = pytest.importorskip('pose_format.utils.cocowholebody133_header')
    from pose_format import Pose

    export_pose_format(make_store(tmp_path / 's'), tmp_path / 'p')
    pose = Pose.read((tmp_path / 'p' / 'c.pose').read_bytes())
    for own, theirs in zip(pose.header.components, header.cocowholebody_components()):
        assert (own.name, own.points, own.format) == (theirs.name, theirs.points, theirs.format)
