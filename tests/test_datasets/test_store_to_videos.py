"""tools/dataset_converters/store_to_videos.py: every video lies in its folder."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from pose_store_fixtures import convert, keypoints

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.datasets.store_format import file_digest
from signbert_mm.datasets.video_folder import VideoFolder

pytest.importorskip('av')


def write(folder, names, splits=None):
    with PoseStoreWriter(folder, 'sign_49', ['a']) as writer:
        for place, name in enumerate(names):
            writer.add(
                keypoints(2, seed=place),
                0,
                splits[place] if splits else 'train',
                name,
                width=640,
                height=480,
                fps=25,
            )
        return writer.close()


def rename(store, names):
    """Changes the ids of a store behind the writer's back; sizes and checksum follow."""
    path = Path(store.folder, 'clips.npz')
    with np.load(path) as archive:
        clips = dict(archive)
    clips['video_id'] = np.asarray([name.encode() for name in names])
    np.savez(path, **clips)
    meta = json.loads(Path(store.folder, 'meta.json').read_text())
    meta['files']['clips.npz'] = dict(bytes=path.stat().st_size, blake2b=file_digest(str(path)))
    Path(store.folder, 'meta.json').write_text(json.dumps(meta))
    return PoseStore(store.folder)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob('*') if path.is_file())


def test_ids_become_paths_and_are_found_again(root, monkeypatch, tmp_path):
    names = ['book/1', 'x' * 250, 'a/' + 'y' * 252, 'z']
    write(tmp_path / 's', names)
    convert(root, monkeypatch, 'store_to_videos.py', tmp_path / 's', tmp_path / 'videos', '--size', 16)
    assert len(files(tmp_path / 'videos')) == 4
    found = [VideoFolder(tmp_path / 'videos').find(name) for name in names]
    assert len(set(found)) == 4
    assert None not in found
    assert found[0] == str(tmp_path / 'videos' / 'book' / '1.mp4')


@pytest.mark.parametrize('name', ['../../x', '/x', 'a/../../../x', '..'])
def test_nothing_is_written_outside_the_folder(root, monkeypatch, tmp_path, name):
    name = str(tmp_path / 'x') if name == '/x' else name
    rename(write(tmp_path / 's', ['good', 'bad']), ['good', name])
    before = files(tmp_path)
    with pytest.raises((ValueError, SystemExit), match='video_id is .*relative path'):
        convert(
            root,
            monkeypatch,
            'store_to_videos.py',
            tmp_path / 's',
            tmp_path / 'deep' / 'videos',
            '--size',
            16,
        )
    assert files(tmp_path) == before
    with pytest.raises(ValueError, match='video_id is .*relative path'):
        VideoFolder(tmp_path).find(name)


def test_one_id_in_two_splits_is_not_one_video(root, monkeypatch, tmp_path):
    write(tmp_path / 's', ['v', 'v'], ['train', 'test'])
    with pytest.raises((ValueError, SystemExit), match="'v' is in several splits.*--split"):
        convert(root, monkeypatch, 'store_to_videos.py', tmp_path / 's', tmp_path / 'videos', '--size', 16)
    assert not os.path.exists(tmp_path / 'videos')
    convert(
        root,
        monkeypatch,
        'store_to_videos.py',
        tmp_path / 's',
        tmp_path / 'videos',
        '--size',
        16,
        '--split',
        'test',
    )
    assert files(tmp_path / 'videos') == ['v.mp4']
