"""A data set prepared wrong in many ways: each ends in a message that names the file, the clip, the field and
the cure. docs/faq.md shows them.
"""

import json
import pickle
import re
import runpy
import sys

import numpy as np
import pytest

from signbert_mm.datasets import PoseDataset, PoseStore, PoseStoreWriter
from signbert_mm.layouts import get_layout


@pytest.fixture
def convert(root, monkeypatch, tmp_path):
    """``convert(message, 'npz_to_store.py', *arguments)``: the converter ends in one message, and leaves no
    store.
    """

    def run(message, tool, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
        before = sorted(tmp_path.iterdir())
        with pytest.raises(SystemExit) as error:
            runpy.run_path(str(root / 'tools' / 'dataset_converters' / tool), run_name='__main__')
        assert re.search(message, str(error.value), re.DOTALL), error.value
        assert sorted(tmp_path.iterdir()) == before

    return run


def annotation(name='a', frames=4, joints=133, **changes):
    random = np.random.RandomState(0)
    return dict(
        dict(
            frame_dir=name,
            total_frames=frames,
            img_shape=(480, 640),
            label=0,
            keypoint=random.uniform(1, 400, (1, frames, joints, 2)),
        ),
        **changes,
    )


def write_pickle(path, *annotations, split=None):
    path.write_bytes(
        pickle.dumps(
            dict(
                split=split or dict(train=[part['frame_dir'] for part in annotations]),
                annotations=list(annotations),
            )
        )
    )
    return path.name


def spoil(value, frame=2, joint=95):
    keypoint = annotation()['keypoint']
    keypoint[0, frame, joint, 1] = value
    return keypoint


PYSKL = dict(
    joint_count=(
        annotation(joints=132),
        r"out: clip 0 .*'a'.*132 joints found, but layout "
        r"'coco_wholebody_133' has 133",
    ),
    other_layout=(annotation(joints=67), r'67 joints found.*layouts with 67 joints: openpose'),
    nan=(
        annotation(keypoint=spoil(np.nan)),
        r"clip 0 .*'a'.*frame 2, joint 95 \(left_thumb4\): y is nan; "
        r'give a missing joint as x = y = score = 0',
    ),
    infinite=(annotation(keypoint=spoil(np.inf)), r'frame 2, joint 95 \(left_thumb4\): y is inf'),
    no_frames=(annotation(frames=0), r"'a'.*no frames; a clip has at least one \(leave this clip out\)"),
    label=(annotation(label=7), r'label 7 is outside 0 \.\. 1 \(2 glosses'),
    three_d=(
        annotation(keypoint=np.zeros((1, 4, 133, 3))),
        r'f\.pkl: annotation 0 \(a\): keypoint is of '
        r'shape .*3-D joints are not read',
    ),
    no_size=(
        {key: value for key, value in annotation().items() if key != 'img_shape'},
        r'f\.pkl: annotation 0: field img_shape is absent',
    ),
)


@pytest.mark.parametrize('bad, message', PYSKL.values(), ids=PYSKL)
def test_pyskl(tmp_path, convert, bad, message):
    (tmp_path / 'glosses.txt').write_text('one\ntwo\n')
    name = write_pickle(tmp_path / 'f.pkl', bad)
    convert(
        message,
        'pyskl_to_store.py',
        name,
        'out',
        '--layout',
        'coco_wholebody_133',
        '--glosses',
        'glosses.txt',
    )


def test_pyskl_as_a_whole(tmp_path, convert):
    name = write_pickle(tmp_path / 'f.pkl', annotation('a'), annotation('a'))
    arguments = ('pyskl_to_store.py', name, 'out', '--layout', 'coco_wholebody_133')
    convert(r"clip 1 .*video_id 'a' is already in split 'train'; ids must be unique there", *arguments)
    convert(r'f\.pkl: the file does not say its layout; give one', 'pyskl_to_store.py', name, 'out')
    convert(r"no split \['val'\]; splits there: {'train': 2}", *arguments, '--splits', 'val')
    (tmp_path / 'f.pkl').write_bytes((tmp_path / 'f.pkl').read_bytes()[:100])
    convert(r'f\.pkl: refused .*nothing from it was run', *arguments)
    convert(r'absent\.pkl', 'pyskl_to_store.py', 'absent.pkl', 'out')


def test_tree(tmp_path, convert):
    folder = tmp_path / 'MP_Data' / 'hello' / '0'
    folder.mkdir(parents=True)
    convert(r'0: no \.npy frames; correct or remove it', 'mptree_to_store.py', 'MP_Data', 'out')
    np.save(folder / '0.npy', np.zeros(257))
    convert(
        r'0\.npy: 257 numbers found; expected one of 258 \(pose and hands\)',
        'mptree_to_store.py',
        'MP_Data',
        'out',
    )
    np.save(folder / '0.npy', np.full(258, 0.5))
    np.save(folder / '1.npy', np.full(126, 0.5))
    convert(r'1\.npy: 126 numbers found, other frames have 258', 'mptree_to_store.py', 'MP_Data', 'out')
    np.save(folder / '1.npy', np.where(np.arange(258) == 139, np.nan, 0.5))
    convert(
        r"'hello/0'.*frame 1, joint \d+ \(left_\w+\): y is nan; give a missing joint as x = y",
        'mptree_to_store.py',
        'MP_Data',
        'out',
    )
    convert(
        r'absent: no such folder; expected <gloss>/<sequence>/<frame>\.npy',
        'mptree_to_store.py',
        'absent',
        'out',
    )


def test_npz(tmp_path, convert):
    fields = dict(
        hands=np.full((2, 3, 2, 21, 2), 0.5),
        length=np.asarray([3, 0]),
        label=np.asarray([0, 1]),
        classes=np.asarray(['a', 'b']),
    )
    np.savez(tmp_path / 'f.npz', **fields)
    convert(r"f\.npz: fields absent: \['seq_id'\]", 'npz_to_store.py', 'f.npz', 'out')
    fields['seq_id'] = np.asarray(['0', '1'])
    np.savez(tmp_path / 'f.npz', **fields)
    convert(r'f\.npz: clip 1: length 0 is outside 1 \.\. 3', 'npz_to_store.py', 'f.npz', 'out')
    np.savez(tmp_path / 'f.npz', **dict(fields, label=np.asarray([0, 2])))
    convert(
        r'f\.npz: clip 1: field label is 2, outside 0 \.\. 1 \(2 classes\)', 'npz_to_store.py', 'f.npz', 'out'
    )
    (tmp_path / 'f.npz').write_bytes((tmp_path / 'f.npz').read_bytes()[:300])
    convert(r'f\.npz: not a whole npz file of plain arrays', 'npz_to_store.py', 'f.npz', 'out')
    (tmp_path / 'out').mkdir()
    np.savez(tmp_path / 'f.npz', **dict(fields, length=np.asarray([3, 3])))
    convert(
        r'out exists; choose another folder, or overwrite=True \(--overwrite\)',
        'npz_to_store.py',
        'f.npz',
        'out',
    )


def rewrite_meta(folder, **changes):
    path = folder / 'meta.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_store_that_was_damaged(make_store):
    folder = make_store()
    path, size = folder / 'keypoints.npy', (folder / 'keypoints.npy').stat().st_size
    with open(path, 'r+b') as file:
        file.truncate(size - 1000)
    with pytest.raises(
        ValueError,
        match=rf'keypoints\.npy: {size} bytes expected, {size - 1000} found: '
        r'truncated or changed; copy it again',
    ):
        PoseDataset(folder, 'train')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('axis', [0, 2])
def test_store_whose_numbers_were_changed(make_store, value, axis):
    """The file was written through, not by PoseStoreWriter: training refuses it instead of becoming NaN."""
    folder = make_store()
    store = PoseStore(folder)
    data = np.load(folder / 'keypoints.npy', mmap_mode='r+')
    data[store.offset[5] + 1, 30, axis] = value
    data.flush()
    dataset = PoseDataset(folder, 'train', pipeline=[dict(type='CenterTemporalSample', clip_len=32)])
    dataset.__getitems__([0, 1])
    message = (
        r"keypoints\.npy: clip 5 \(video_id 'v5'\), frame 1, joint 30 "
        rf'\({get_layout("sign_49").joints[30]}\): .*prepare the store again'
    )
    with pytest.raises(ValueError, match=message):
        dataset.__getitems__([3, 5])
    with pytest.raises(ValueError, match=r"keypoints\.npy: clip 5 \(video_id 'v5'\), frame 1, joint 30"):
        PoseStore(folder).verify()


def test_store_of_an_unknown_layout(make_store):
    folder = make_store()
    rewrite_meta(folder, layout='coco_133')
    with pytest.raises(KeyError, match=r"meta\.json: unknown layout 'coco_133'; known: coco_wholebody_133"):
        PoseDataset(folder, 'train')


def test_store_that_is_not_one(tmp_path, make_store):
    (tmp_path / 'mine').mkdir()
    with pytest.raises(
        FileNotFoundError,
        match=r'mine/meta\.json: absent, so .* is not a PoseStore; prepare '
        r'it with one of tools',
    ):
        PoseDataset(tmp_path / 'mine')
    with pytest.raises(
        ValueError,
        match=r"store: split \['val'\] has no clips; splits there: {'train': 24, "
        r"'test': 7}",
    ):
        PoseDataset(make_store(), 'val')


def test_writer_without_clips(tmp_path):
    with pytest.raises(
        ValueError,
        match='no clips were added, so there is no store to write; check the '
        'source folder and the split lists',
    ):
        PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']).close()
