import json
import multiprocessing
import os
import pickle
import re
import shutil
import signal
import zipfile

import numpy as np
import pytest
from pose_store_fixtures import keypoints, write_store

from signbert_mm.datasets import PoseStore, PoseStoreWriter


@pytest.mark.parametrize('dtype', ['float32', 'int16'])
def test_round_trip(tmp_path, dtype):
    store = write_store(
        tmp_path / 's',
        dtype=dtype,
        source='here',
        licence='MIT',
        extractor='none',
        extractor_version='1',
        notes=dict(a=1),
    )
    assert len(store) == 4 and store.keypoints.shape == (17, 49, 3) and store.keypoints.dtype == dtype
    for index, length in enumerate((3, 5, 1, 8)):
        points, scores = store.clip(index)
        assert points.dtype == scores.dtype == np.float32 and points.flags.c_contiguous
        np.testing.assert_array_equal(points, keypoints(length, seed=index)[..., :2])
        np.testing.assert_allclose(scores, 1, rtol=1e-6)
    assert store.offset.tolist() == [0, 3, 8, 9] and store.length.tolist() == [3, 5, 1, 8]
    assert store.label.tolist() == [0, 1, 2, 0] and store.split.tolist() == ['train'] * 4
    assert store.video_id.tolist() == ['v0', 'v1', 'v2', 'v3'] and store.video_ids(np.asarray([2, 0])) == [
        'v2',
        'v0',
    ]
    assert store.signer.tolist() == ['signer0', 'signer1', 'signer0', 'signer1']
    assert (
        store.width.tolist() == [640] * 4
        and store.height.tolist() == [480] * 4
        and store.fps.tolist() == [25.0] * 4
    )
    assert (
        store.meta['source'] == 'here'
        and store.meta['notes'] == dict(a=1)
        and store.layout.name == 'sign_49'
        and store.glosses == ['a', 'b', 'c']
    )
    assert np.load(tmp_path / 's' / 'keypoints.npy').shape == (17, 49, 3)  # plain npy
    store.verify()
    np.testing.assert_array_equal(store.clip(-1)[0], store.clip(3)[0])
    with pytest.raises(IndexError):
        store.clip(4)


def test_opening_reads_no_keypoints(tmp_path):
    store = write_store(tmp_path / 's')
    assert 'keypoints' not in vars(store)
    assert isinstance(store.keypoints, np.memmap)


def test_text_beyond_ascii(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['привет', 'naïve']) as writer:
        writer.add(keypoints(1), 1, 'обучение', 'клип 1', 'Ünal', width=1, height=1)
    store = PoseStore(tmp_path / 's')
    assert (
        store.glosses == ['привет', 'naïve']
        and store.split[0] == 'обучение'
        and store.video_id[0] == 'клип 1'
        and store.signer[0] == 'Ünal'
    )


@pytest.mark.parametrize('dtype', ['float32', 'int16'])
def test_missing_joints_and_hands_found(tmp_path, dtype):
    data = keypoints(4)
    data[0, :21, 2] = 0  # left hand lost, coordinates left behind
    data[1, 21:42, 2] = 0
    data[2, :42, 2] = 0
    data[2, 40, 2] = 0.25  # one joint of the right hand is enough where its arm is seen
    data[3, 5, 2] = 1.4  # some heads exceed 1
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], dtype) as writer:
        writer.add(data, 0, 'train', 'v', width=640, height=480)
    store = PoseStore(tmp_path / 's')
    assert store.hands_found.tolist() == [[False, True], [True, False], [False, True], [True, True]]
    points, scores = store.clip(0)
    assert (points[0, :21] == 0).all() and (scores[0, :21] == 0).all() and scores[3, 5] == 1
    assert abs(scores[2, 40] - 0.25) < 1 / 32767
    store.verify()


def test_score_that_int16_rounds_to_zero_is_missing(tmp_path):
    data = keypoints(1)
    data[0, 0, 2] = 1e-5
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], 'int16') as writer:
        writer.add(data, 0, 'train', 'v', width=640, height=480)
    points, scores = PoseStore(tmp_path / 's').clip(0)
    assert scores[0, 0] == 0 and (points[0, 0] == 0).all()


@pytest.mark.parametrize(
    'layout, found',
    [('hand_21', [False, True]), ('trunk_7', [False, False]), ('coco_wholebody_133', [True, True])],
)
def test_hands_found_by_layout(tmp_path, layout, found):
    assert write_store(tmp_path / 's', (2,), layout=layout).hands_found.tolist() == [found] * 2


def test_pickle_carries_the_folder_only(tmp_path):
    store = write_store(tmp_path / 's', (2000,))
    store.keypoints  # noqa: B018 - open the memory map
    data = pickle.dumps(store)
    assert len(data) < 1000
    np.testing.assert_array_equal(pickle.loads(data).clip(0)[0], store.clip(0)[0])


def add(writer, data=None, **kwargs):
    fields = dict(label=0, split='train', video_id='new', width=640, height=480)
    writer.add(keypoints(2) if data is None else data, **{**fields, **kwargs})


def spoiled(value, axis=0):
    data = keypoints(3)
    data[1, 22, axis] = value
    return data


@pytest.mark.parametrize(
    'data, fields, message',
    [
        (keypoints(2, 48), {}, r'48 joints found, but layout .sign_49. has 49'),
        (keypoints(2, 50), {}, r'50 joints found'),
        (keypoints(2, 42), {}, r'layouts with 42 joints: hands_42'),
        (keypoints(0), {}, 'no frames'),
        (keypoints(2)[..., :2], {}, r'shape \(2, 49, 2\); give numbers of shape \(T, V, 3\)'),
        (keypoints(2).astype(str), {}, 'give numbers'),
        (spoiled(np.nan), {}, r'frame 1, joint 22 \(right_thumb1\): x is nan'),
        (spoiled(np.inf, 1), {}, r'frame 1, joint 22 \(right_thumb1\): y is inf'),
        (spoiled(np.nan, 2), {}, 'score is nan'),
        (spoiled(-0.1, 2), {}, 'score -0.1.* is negative'),
        (None, dict(label=3), r'label 3 is outside 0 .. 2 \(3 glosses'),
        (None, dict(label=-2), 'label -2'),
        (None, dict(label=0.5), 'label 0.5'),
        (None, dict(video_id='v1'), "video_id 'v1' is already in split 'train'"),
        (None, dict(video_id=''), 'video_id is'),
        (None, dict(video_id='x' * 256), 'video_id is'),
        (None, dict(video_id='a\0b'), 'without NUL'),
        (None, dict(split=''), 'split is'),
        (None, dict(width=0), 'width is 0'),
        (None, dict(height=-3), 'height is -3'),
        (None, dict(width=float('nan')), 'width is nan'),
        (None, dict(fps=float('nan')), 'fps is nan'),
    ],
)
def test_writer_refuses(tmp_path, data, fields, message):
    writer = PoseStoreWriter(tmp_path / 's', 'sign_49', ['a', 'b', 'c'])
    add(writer, video_id='v0')
    add(writer, video_id='v1')
    with pytest.raises(ValueError, match=message) as error:
        add(writer, data, **fields)
    assert str(tmp_path / 's') in str(error.value) and 'clip 2' in str(error.value)
    add(writer, video_id='v2')  # the refused clip left no trace
    store = writer.close()
    assert store.video_id.tolist() == ['v0', 'v1', 'v2']
    store.verify()


def test_a_clip_in_pieces(tmp_path):
    data = keypoints(9, 133)
    with PoseStoreWriter(tmp_path / 'whole', 'coco_wholebody_133', ['a']) as writer:
        writer.add(data, 0, 'train', 'x', width=640, height=480)
    with PoseStoreWriter(tmp_path / 'pieces', 'coco_wholebody_133', ['a']) as writer:
        spoilt = data.copy()
        spoilt[6, 5, 1] = np.nan
        with pytest.raises(ValueError, match=r'frame 6, joint 5 .*y is nan'):
            writer.add(iter([spoilt[:4], spoilt[4:]]), 0, 'train', 'x', width=640, height=480)
        with pytest.raises(ValueError, match='no frames'):
            writer.add(iter([]), 0, 'train', 'x', width=640, height=480)
        writer.add(
            (data[first : first + 4] for first in range(0, 9, 4)), 0, 'train', 'x', width=640, height=480
        )
    for name in os.listdir(tmp_path / 'whole'):
        assert (tmp_path / 'whole' / name).read_bytes() == (tmp_path / 'pieces' / name).read_bytes(), name


def test_same_video_id_in_two_splits(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        add(writer, split='train')
        add(writer, split='test')
    assert PoseStore(tmp_path / 's').split_counts() == dict(train=1, test=1)


def test_int16_range(tmp_path):
    writer = PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], 'int16')
    with pytest.raises(ValueError, match=r"frame 1, joint 22 .*x = 4096.0 px.*use dtype='float32'"):
        add(writer, spoiled(4096))
    writer.abort()


def test_writer_construction(tmp_path):
    with pytest.raises(KeyError, match='unknown layout .coco_133.; known: coco_wholebody_133'):
        PoseStoreWriter(tmp_path / 's', 'coco_133', ['a'])
    with pytest.raises(ValueError, match=r"repeated: \['a'\]"):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a', 'b', 'a'])
    with pytest.raises(ValueError, match='choose one of float32, int16'):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], 'float16')
    with pytest.raises(TypeError):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], notes=dict(a=object()))
    write_store(tmp_path / 's')
    with pytest.raises(FileExistsError, match='overwrite'):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'])
    assert len(write_store(tmp_path / 's', (1,), overwrite=True)) == 1
    assert os.listdir(tmp_path) == ['s']


def test_a_store_alone_is_overwritten(tmp_path):
    for name, files in (('videos', ['hello/1.mp4']), ('other', ['meta.json', 'a.npy']), ('s', ['mine.txt'])):
        if name == 's':
            write_store(tmp_path / 's')
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text('mine')
        first = files[-1].split('/')[0]
        with pytest.raises(FileExistsError, match=f"{name} exists and holds '{first}', which would be lost"):
            write_store(tmp_path / name, overwrite=True)
        assert all((tmp_path / name / file).read_text() == 'mine' for file in files)
    assert sorted(os.listdir(tmp_path)) == ['other', 's', 'videos']


def test_no_clips_and_exceptions_leave_nothing(tmp_path):
    with pytest.raises(ValueError, match='no clips were added'):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']).close()
    with pytest.raises(RuntimeError), PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        add(writer)
        raise RuntimeError
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match='closed'):
        writer.close()
    with pytest.raises(ValueError, match='closed'):
        add(writer)


def write_and_die(folder):
    writer = PoseStoreWriter(folder, 'sign_49', ['a'])
    for index in range(20):
        add(writer, video_id=f'v{index}')
    writer._file.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_writer_leaves_nothing_that_opens(tmp_path):
    process = multiprocessing.get_context('fork').Process(target=write_and_die, args=(tmp_path / 's',))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    left = os.listdir(tmp_path)
    assert 's' not in left and len(left) == 1
    with pytest.raises(FileNotFoundError, match='meta.json: absent'):
        PoseStore(tmp_path / left[0])


def spoil(folder, name):
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(bytes(data))


@pytest.mark.parametrize('name', ['keypoints.npy', 'clips.npz'])
@pytest.mark.parametrize('change', [-1, 1])
def test_truncated_file_is_refused_with_byte_counts(tmp_path, name, change):
    write_store(tmp_path / 's')
    path = tmp_path / 's' / name
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1] if change < 0 else path.read_bytes() + b'x')
    with pytest.raises(ValueError, match=re.escape(f'{path}: {size} bytes expected, {size + change} found')):
        PoseStore(tmp_path / 's')


@pytest.mark.parametrize('name', ['keypoints.npy', 'clips.npz', 'meta.json'])
def test_absent_file(tmp_path, name):
    write_store(tmp_path / 's')
    (tmp_path / 's' / name).unlink()
    with pytest.raises(FileNotFoundError, match=f'{name}: absent'):
        PoseStore(tmp_path / 's')


def test_verify_finds_changed_bytes(tmp_path):
    write_store(tmp_path / 's', (50,))
    shutil.copytree(tmp_path / 's', tmp_path / 't')
    spoil(tmp_path / 's', 'keypoints.npy')
    with pytest.raises(ValueError, match='keypoints.npy: '):
        PoseStore(tmp_path / 's').verify()
    data = np.load(tmp_path / 't' / 'keypoints.npy', mmap_mode='r+')
    data[7, 3, 1] = np.nan
    data.flush()
    with pytest.raises(ValueError, match=r"clip 0 \(video_id 'v0'\), frame 7, joint 3 "):
        PoseStore(tmp_path / 't').verify()


def edit(folder, **changes):
    """Changes columns of clips.npz and keeps meta.json's byte counts true."""
    path = folder / 'clips.npz'
    with np.load(path) as archive:
        clips = {name: archive[name] for name in archive.files}
    clips.update(changes)
    np.savez(path, **{name: column for name, column in clips.items() if column is not None})
    meta = json.loads((folder / 'meta.json').read_text())
    meta['files']['clips.npz']['bytes'] = path.stat().st_size
    (folder / 'meta.json').write_text(json.dumps(meta))


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(label=np.asarray([0, 1, 3, 0], dtype=np.int32)), 'clip 2: label 3 is outside the 3 glosses'),
        (
            dict(length=np.asarray([3, 5, 0, 9], dtype=np.int32)),
            'clip 2: length is 0; a clip has at least one frame',
        ),
        (dict(length=np.asarray([3, 5, 1, 9], dtype=np.int32)), 'offsets and lengths'),
        (dict(offset=np.asarray([0, 3, 8, 8])), 'offsets and lengths'),
        (dict(label=np.zeros(3, dtype=np.int32)), r"not of 4 clips: \['label'\]"),
        (dict(label=None), r"\['label'\]"),
        (dict(video_id=np.zeros(4)), r"\['video_id'\]"),
        (dict(split=np.ones(4, dtype=np.int16)), 'column split has codes outside'),
        (dict(video_id=np.asarray([{}, 1, 2, 3], dtype=object)), 'an array holds Python objects'),
    ],
)
def test_inconsistent_clips_are_refused(tmp_path, changes, message):
    write_store(tmp_path / 's')
    edit(tmp_path / 's', **changes)
    with pytest.raises(ValueError, match=message) as error:
        PoseStore(tmp_path / 's')
    assert 'clips.npz' in str(error.value)


@pytest.mark.parametrize(
    'changes, error, message',
    [
        (dict(format='zip'), ValueError, 'not a PoseStore'),
        (dict(format_version=99), ValueError, 'format_version is 99'),
        (dict(layout='nothing'), KeyError, 'unknown layout'),
        (dict(joints=48), ValueError, '48 joints found'),
        (dict(dtype='float16'), ValueError, 'fields absent or wrong'),
        (dict(glosses=['a']), ValueError, 'outside the 1 glosses'),
    ],
)
def test_wrong_meta_is_refused(tmp_path, changes, error, message):
    write_store(tmp_path / 's')
    path = tmp_path / 's' / 'meta.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(error, match=message):
        PoseStore(tmp_path / 's')
    path.write_text(path.read_text()[:100])
    with pytest.raises(ValueError, match='100 bytes found'):
        PoseStore(tmp_path / 's')


def test_keypoints_of_another_shape(tmp_path):
    write_store(tmp_path / 's')
    path = tmp_path / 's' / 'keypoints.npy'
    path.write_bytes(path.read_bytes().replace(b'(17, 49, 3)', b'(49, 17, 3)'))
    with pytest.raises(ValueError, match=r'\(49, 17, 3\) found, float32 of shape \(17, 49, 3\) expected'):
        PoseStore(tmp_path / 's').clip(0)


def test_no_such_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such folder; prepare'):
        PoseStore(tmp_path / 'nothing')


def test_same_clips_give_the_same_bytes(tmp_path):
    write_store(tmp_path / 's')
    write_store(tmp_path / 't')
    for name in os.listdir(tmp_path / 's'):
        assert (tmp_path / 's' / name).read_bytes() == (tmp_path / 't' / name).read_bytes()


def test_coverage_travels(tmp_path):
    splits = ('train', 'train', 'test', 'test')
    coverage = dict(train=3, test=dict(per_class=[1, 0, 4]), val=np.int64(2))
    store = write_store(tmp_path / 's', splits=splits, coverage=coverage, official=dict(train=4))
    expected = dict(
        train=dict(expected=3, present=2),
        test=dict(per_class=[1, 0, 4], expected=5, present=2),
        val=dict(expected=2, present=0),
    )
    assert store.coverage == expected and store.official == dict(train=4)
    assert json.loads((tmp_path / 's' / 'meta.json').read_text())['coverage'] == expected
    assert store.missing == []
    (tmp_path / 's' / 'missing.txt').write_text('# split video why\ntrain v9 absent\n\n')
    assert PoseStore(tmp_path / 's').missing == ['train v9 absent']
    PoseStore(tmp_path / 's').verify()
    old = write_store(tmp_path / 'old')
    assert (
        old.coverage == {}
        and old.official == {}
        and 'coverage' not in old.meta
        and 'official' not in old.meta
    )


@pytest.mark.parametrize(
    'coverage, message',
    [
        (5, 'coverage is 5; give a dict'),
        (dict(train=-1), "split 'train' is -1"),
        (dict(train=2.5), 'is 2.5'),
        (dict(train=dict(present=4)), "is {'present': 4}; give dict"),
        (dict(train=dict(expected=9, there=4)), 'there'),
        (dict(train=dict(expected=3, present=4)), '4 clips present, but only 3 expected'),
        (dict(train=dict(per_class=[9, 9])), 'per_class has 2 entries; give a count for each of 3 glosses'),
        (dict(train=dict(expected=9, per_class=[1, 1, 1])), 'adds up to 3, expected is 9'),
        (dict(train=3), '4 clips present, but only 3 expected'),
        (dict(train=dict(expected=9, present=3)), 'has 3 clips, 4 were added'),
    ],
)
def test_coverage_that_cannot_be(tmp_path, coverage, message):
    with pytest.raises(ValueError, match=message):
        write_store(tmp_path / 's', coverage=coverage)
    assert not os.path.exists(tmp_path / 's')


def test_coverage_may_be_set_late_and_is_checked_on_opening(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        writer.add(keypoints(2), 0, 'train', 'v', width=640, height=480)
        writer.coverage = dict(train=2)
    meta = tmp_path / 's' / 'meta.json'
    assert PoseStore(tmp_path / 's').coverage == dict(train=dict(expected=2, present=1))
    meta.write_text(meta.read_text().replace('"expected": 2', '"expected": "two"'))
    with pytest.raises(ValueError, match="meta.json: coverage of split 'train'"):
        PoseStore(tmp_path / 's')
    with pytest.raises(ValueError, match='official is'):
        write_store(tmp_path / 't', official=dict(train='many'))


@pytest.mark.parametrize('dtype', ['float32', 'int16'])
@pytest.mark.parametrize('value', [1e30, -1e30, 100_001])
def test_a_coordinate_that_no_image_has_is_refused(tmp_path, dtype, value):
    points = keypoints(3)
    points[1, 4, 0] = value
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], dtype=dtype) as writer:
        with pytest.raises(ValueError, match=r'frame 1, joint 4 .*: x = .* px lies outside of every image'):
            writer.add(points, 0, 'train', 'v', width=640, height=480)
        points[1, 4] = value, value, 0  # a missing joint, wherever
        writer.add(points, 0, 'train', 'v', width=640, height=480)
    assert PoseStore(tmp_path / 's').clip(0)[0][1, 4].tolist() == [0, 0]


@pytest.mark.parametrize(
    'data', [b'<html>' * 300, b'\x93NUMPY' + b'\0' * 1000, b'\x93NUMPY\x01\0v\0((((((((' + b' ' * 110]
)
def test_a_header_that_is_none_is_named(tmp_path, data):
    store = write_store(tmp_path / 's')
    path = tmp_path / 's' / 'keypoints.npy'
    path.write_bytes(data.ljust(path.stat().st_size, b'\0'))
    with pytest.raises(ValueError, match=r's/keypoints\.npy \(\d+ bytes\): not a whole npy file'):
        store.clip(0)


def test_a_file_that_is_cut_short_while_it_is_open_ends_nothing(tmp_path):
    """Reading behind the end of a mapped file is SIGBUS."""
    store = write_store(tmp_path / 's', (4000,))
    rows = np.arange(4)
    before = store.read(rows, rows)
    shutil.copytree(tmp_path / 's', tmp_path / 'copy')
    os.truncate(tmp_path / 's' / 'keypoints.npy', 4096)
    for read in (lambda: store.clip(0), lambda: store.read(rows, rows)):
        with pytest.raises(ValueError, match=r'keypoints\.npy: \d+ bytes when it was opened, 4096 now'):
            read()
    other = PoseStore(tmp_path / 'copy')
    other.keypoints  # noqa: B018 - opened
    # a replaced store is another file: who reads the old one goes on
    write_store(tmp_path / 'copy', overwrite=True)
    np.testing.assert_array_equal(other.read(rows, rows), before)


@pytest.mark.parametrize('where', ['add', 'close', 'save'])
def test_a_full_disk_leaves_no_hidden_folder(tmp_path, monkeypatch, where):
    """At the first clip, at the last bytes of the keypoints, or at the index."""

    def full(*_, **__):
        raise OSError(28, 'No space left on device')

    writer = PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'])
    with pytest.raises(OSError, match=r'No space left on device: .*/s'), writer:
        if where == 'add':
            real = writer._file
            monkeypatch.setattr(writer, '_file', FullFile(real))
        writer.add(keypoints(3), 0, 'train', 'v', width=640, height=480)
        monkeypatch.setattr(os, 'fsync', full) if where == 'close' else monkeypatch.setattr(np, 'savez', full)
    assert not os.listdir(tmp_path)


class FullFile:
    """A file on a full disk: also closing it fails, since it still has bytes to write."""

    def __init__(self, file):
        self.file = file

    def write(self, data):
        raise OSError(28, 'No space left on device')

    seek = truncate = flush = write

    def close(self):
        self.file.close()
        raise OSError(28, 'No space left on device')

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_overwriting_keeps_the_old_store_until_the_new_one_is_there(tmp_path, monkeypatch):
    """Killed at the moment of replacing: afterwards one of the two is there, and the next writer leaves no
    hidden folder.
    """
    write_store(tmp_path / 's', (3,))
    for name in ('rename', 'exchange'):
        child = os.fork()
        if not child:
            from signbert_mm.files import atomic

            def die(*_):
                os.kill(os.getpid(), signal.SIGKILL)

            if name == 'rename':  # a file system that cannot exchange: between the two renames
                atomic.exchange = lambda *_: False
                atomic.os.rename = lambda *names, rename=os.rename: (rename(*names), die())
            else:
                atomic.exchange = die
            write_store(tmp_path / 's', (5, 5), overwrite=True)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert PoseStore(tmp_path / 's').length.tolist() == [3] and len(os.listdir(tmp_path)) == 2
    write_store(tmp_path / 's', (5, 5), overwrite=True)
    assert os.listdir(tmp_path) == ['s'] and PoseStore(tmp_path / 's').length.tolist() == [5, 5]


def zero_the_end(folder, size):
    path = folder / 'keypoints.npy'
    data = bytearray(path.read_bytes())
    data[-size:] = bytes(size)
    path.write_bytes(data)


@pytest.mark.parametrize('size', [8, 600, 4096])
def test_a_file_that_lost_its_end_does_not_open(tmp_path, size):
    """A copy that was cut has the right size on some file systems, and zeros where nothing was written."""
    write_store(tmp_path / 's')
    zero_the_end(tmp_path / 's', size)
    with pytest.raises(
        ValueError,
        match=r'keypoints.npy: its last \d+ bytes are 0, \d+ were written so: it '
        r'lost its end',
    ):
        PoseStore(tmp_path / 's')


def test_an_end_that_was_written_as_zeros_opens(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        writer.add(keypoints(4), 0, 'train', 'v', width=640, height=480)
        writer.add(np.zeros((9, 49, 3)), 0, 'train', 'w', width=640, height=480)
    PoseStore(tmp_path / 's').verify()


def of_an_earlier_version(folder):
    path = folder / 'meta.json'
    meta = json.loads(path.read_text())
    del meta['zeros_at_the_end']
    path.write_text(json.dumps(meta))


def test_a_store_of_an_earlier_version_that_lost_its_end(tmp_path):
    write_store(tmp_path / 's')
    of_an_earlier_version(tmp_path / 's')
    PoseStore(tmp_path / 's').verify()
    zero_the_end(tmp_path / 's', 600)
    with pytest.raises(
        ValueError,
        match=r"clip 3 \(video_id 'v3'\), frame 7: every joint of a hand is "
        r'missing that clips.npz says was found',
    ):
        PoseStore(tmp_path / 's')


def test_a_hole_in_the_file_is_found_when_its_clip_is_read(tmp_path):
    write_store(tmp_path / 's')
    rows = np.load(tmp_path / 's' / 'keypoints.npy', mmap_mode='r+')
    rows[4:6] = 0
    rows.flush()
    store = PoseStore(tmp_path / 's')
    store.clip(0)
    with pytest.raises(
        ValueError,
        match=r"clip 1 \(video_id 'v1'\), frame 1: every joint of a hand is "
        r'missing',
    ):
        store.clip(1)
    with pytest.raises(ValueError, match='checksum differs'):
        store.verify()


def test_permuted_columns_do_not_open(tmp_path):
    write_store(tmp_path / 's', splits=['train', 'test', 'train', 'test'])
    with np.load(tmp_path / 's' / 'clips.npz') as archive:
        names = archive['split_names']
    edit(tmp_path / 's', split_names=names[::-1].copy())
    with pytest.raises(ValueError, match='clips.npz: checksum differs from meta.json'):
        PoseStore(tmp_path / 's')


@pytest.mark.parametrize(
    'glosses, message',
    [
        (['a', 7, 'c'], 'glosses hold 7; every gloss is text'),
        (['a', None, 'c'], 'glosses hold None'),
        (['a', ['b'], 'c'], 'glosses hold'),
        (['a', '', 'c'], "glosses hold ''"),
        ('abc', "glosses hold 'abc'"),
        ({'a': 1, 'b': 2, 'c': 3}, 'glosses hold'),
        (['a', 'a', 'c'], 'glosses hold the same gloss twice'),
    ],
)
def test_glosses_that_are_no_text(tmp_path, glosses, message):
    write_store(tmp_path / 's')
    path = tmp_path / 's' / 'meta.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), 'glosses': glosses}))
    with pytest.raises(ValueError, match=f'meta.json: {message}'):
        PoseStore(tmp_path / 's')


def test_flags_that_do_not_fit_the_scores(tmp_path):
    store = write_store(tmp_path / 's')
    store.hand_flags[3] ^= 1
    with pytest.raises(
        ValueError,
        match=r"clip 1 \(video_id 'v1'\), frame 0: clips.npz says otherwise which "
        r'hands were found',
    ):
        store.verify()


def test_bombs_in_place_of_the_files(tmp_path):
    write_store(tmp_path / 's')
    path = tmp_path / 's' / 'meta.json'
    path.write_text('[' * 100000)
    with pytest.raises(ValueError, match='meta.json: not JSON .*nest too deep'):
        PoseStore(tmp_path / 's')
    write_store(tmp_path / 't')
    np.savez_compressed(tmp_path / 't' / 'clips.npz', offset=np.zeros(10**6))
    with (
        zipfile.ZipFile(tmp_path / 't' / 'clips.npz', 'a', zipfile.ZIP_DEFLATED) as archive,
        archive.open('hands.npy', 'w') as file,
    ):
        np.lib.format.write_array_header_1_0(file, dict(descr='<f8', fortran_order=False, shape=(1 << 50,)))
    meta = json.loads((tmp_path / 't' / 'meta.json').read_text())
    meta['files']['clips.npz']['bytes'] = (tmp_path / 't' / 'clips.npz').stat().st_size
    (tmp_path / 't' / 'meta.json').write_text(json.dumps(meta))
    with pytest.raises(ValueError, match='clips.npz: damaged .*does not fit its 0 bytes'):
        PoseStore(tmp_path / 't')


@pytest.mark.parametrize(
    'name',
    [
        '../x',
        '/x',
        'a/../../x',
        'a//b',
        './a',
        'a/',
        '..',
        'a\nb',
        'a\0b',
        'a\x1b[2J',
        'x' * 256,
        '',
        5,
        'a\udc80',
    ],
)
def test_names_that_could_not_be_paths_are_not_written(tmp_path, name):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        with pytest.raises(ValueError, match='video_id is'):
            writer.add(keypoints(2), 0, 'train', name, width=1, height=1)
        writer.add(keypoints(2), 0, 'train', 'a/b.c d', width=1, height=1)
    assert PoseStore(tmp_path / 's').video_id.tolist() == ['a/b.c d']


@pytest.mark.parametrize('field', ['split', 'signer'])
def test_other_names_are_text_of_one_line(tmp_path, field):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        for name in ('a\nb', 'x' * 256, 5):
            names = dict(dict(split='train', signer='s'), **{field: name})
            with pytest.raises(ValueError, match=f'{field} is'):
                writer.add(keypoints(2), 0, video_id='v', width=1, height=1, **names)
        writer.add(keypoints(2), 0, '../train', 'v', '/s', width=1, height=1)


@pytest.mark.parametrize('gloss', ['a\nb', 'a\x1bc', 'x' * 256, 'a\udc80'])
def test_glosses_are_text_of_one_line(tmp_path, gloss):
    with pytest.raises(ValueError, match='gloss 1 is'):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a', gloss])
    assert not (tmp_path / 's').exists()


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(files=['keypoints.npy', 'clips.npz']), 'files'),
        (dict(files={'keypoints.npy': 5, 'clips.npz': 6}), 'files'),
        (dict(files={'keypoints.npy': dict(bytes='5'), 'clips.npz': dict(bytes=6)}), 'files'),
        (dict(frames='17'), 'frames'),
        (dict(clips=None), 'clips'),
        (dict(dtype=['float32']), 'dtype'),
        (dict(notes='none'), 'notes'),
    ],
)
def test_fields_of_another_type_are_named(tmp_path, changes, message):
    write_store(tmp_path / 's')
    path = tmp_path / 's' / 'meta.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ValueError, match=rf"meta.json: fields absent or wrong: \['{message}'\]"):
        PoseStore(tmp_path / 's')


def test_names_are_stored_in_one_form(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['cafe\u0301', 'hello ']) as writer:
        for name, split, signer in (('a', 'train', 'anna'), ('b', 'train ', '\ufeffanna')):
            writer.add(keypoints(1), 0, split, name, signer, width=9, height=9)
        with pytest.raises(ValueError, match="video_id 'a' is already in split 'train'"):
            writer.add(keypoints(1), 0, 'train ', 'a', width=9, height=9)
        with pytest.raises(ValueError, match="split is ''"):
            writer.add(keypoints(1), 0, ' ', 'c', width=9, height=9)
        store = writer.close()
    assert store.glosses == ['caf\u00e9', 'hello'] and store.split_counts() == dict(train=2)
    assert store.signer.tolist() == ['anna', 'anna']
    with pytest.raises(ValueError, match=r"repeated: \['hello'\]"):
        PoseStoreWriter(tmp_path / 't', 'sign_49', ['hello', 'hello '])
