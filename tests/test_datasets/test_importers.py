import csv
import os
import pickle
import runpy
import sys

import numpy as np
import pytest
from pose_store_fixtures import keypoints, write_store

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.datasets.importers import MPTreeClips, NpzClips, PoseFormatClips, PysklClips, export_pyskl, words33_splits, write_clips


def convert(root, monkeypatch, tool, *arguments):
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
    monkeypatch.syspath_prepend(str(root))
    runpy.run_path(str(root / 'tools' / 'dataset_converters' / tool), run_name='__main__')


# npz


def npz_fields(pose=True):
    random = np.random.RandomState(0)
    fields = dict(
        hands=random.uniform(0.1, 0.9, (4, 5, 2, 21, 2)).astype(np.float16),
        length=np.asarray([5, 3, 5, 1], dtype=np.int16),
        label=np.asarray([0, 0, 1, 1], dtype=np.int16),
        classes=np.asarray(['no', 'yes']),
        seq_id=np.asarray(['10', '9', '0', '1']),
    )
    fields['hands'][0, 1, 0] = 0
    if pose:
        fields['pose'] = random.uniform(0.1, 0.9, (4, 5, 25, 3)).astype(np.float16)
    return fields


def test_npz(tmp_path):
    fields = npz_fields()
    np.savez(tmp_path / 'f.npz', **fields)
    clips = NpzClips(str(tmp_path / 'f.npz'))
    store = write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert store.layout.name == 'mediapipe_holistic' and store.glosses == ['no', 'yes'] and store.length.tolist() == [5, 3, 5, 1]
    assert store.video_id.tolist() == ['f/no/10', 'f/no/9', 'f/yes/0', 'f/yes/1'] and store.split_counts() == dict(train=4)
    points, scores = store.clip(0)
    size = np.asarray([640, 480], dtype=np.float32)
    np.testing.assert_array_equal(points[:, :25], fields['pose'][0, :, :, :2].astype(np.float32) * size)
    np.testing.assert_array_equal(scores[:, :25], fields['pose'][0, :, :, 2].astype(np.float32))
    assert not scores[:, 25:33].any()  # legs are not in the file
    np.testing.assert_array_equal(points[0, 33:54], fields['hands'][0, 0, 0].astype(np.float32) * size)
    np.testing.assert_array_equal(points[1, 54:], fields['hands'][0, 1, 1].astype(np.float32) * size)
    assert not scores[1, 33:54].any() and (scores[0, 33:54] == 1).all()
    assert store.hands_found[:2].tolist() == [[True, True], [False, True]]


def test_npz_hands_only_and_image_size(tmp_path):
    fields = npz_fields(pose=False)
    np.savez(tmp_path / 'f.npz', **fields)
    clips = NpzClips(str(tmp_path / 'f.npz'), 100, 200)
    clip = next(iter(clips))
    assert clips.layout == 'hands_42' and clip.keypoints.shape == (5, 42, 3) and (clip.width, clip.height) == (100, 200)
    np.testing.assert_array_equal(clip.keypoints[0, :21, :2], fields['hands'][0, 0, 0].astype(np.float32) * np.asarray([100, 200], dtype=np.float32))


def test_words33_splits():
    # gloss 0: 10 clips in seq_id order 0 .. 9 (as integers), gloss 1: 5, gloss 2: 1
    label = np.asarray([0] * 10 + [1] * 5 + [2])
    seq = np.asarray(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0', '100', '20', '3', '1', '0', '7'])
    split = words33_splits(label, seq)
    assert split[:10].tolist() == ['test'] * 4 + ['val'] + ['train'] * 5
    assert dict(zip(seq[10:15], split[10:15])) == {'0': 'train', '1': 'train', '3': 'val', '20': 'test', '100': 'test'}  # floor(2.5), floor(3)
    assert split[15] == 'test'


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(hands=np.zeros((4, 5, 2, 20, 2))), r'hands are of shape \(4, 5, 2, 20, 2\)'),
        (dict(label=np.zeros(3, dtype=int)), r"fields \['label'\] are not of shape \(4,\)"),
        (dict(pose=np.zeros((4, 4, 25, 3))), 'pose is of shape'),
        (dict(pose=np.zeros((4, 5, 34, 3))), 'pose has 34 points'),
        (dict(seq_id=None), r"fields absent: \['seq_id'\]"),
        (dict(length=np.asarray([6, 3, 5, 1])), 'clip 0: length 6 is outside 1 .. 5'),
        (dict(label=np.asarray([0, -1, 0, 0])), r'clip 1: field label is -1, outside 0 \.\. 1 \(2 classes\)'),
    ],
)
def test_npz_errors(tmp_path, changes, message):
    fields = {**npz_fields(), **changes}
    np.savez(tmp_path / 'f.npz', **{name: value for name, value in fields.items() if value is not None})
    with pytest.raises(ValueError, match=message):
        list(NpzClips(str(tmp_path / 'f.npz')))


def test_npz_unknown_protocol(tmp_path):
    np.savez(tmp_path / 'f.npz', **npz_fields())
    with pytest.raises(ValueError, match='choose one of words33'):
        NpzClips(str(tmp_path / 'f.npz'), protocol='words34')


def test_npz_with_objects(tmp_path):
    np.savez(tmp_path / 'f.npz', **{**npz_fields(), 'classes': np.asarray([{}, 'b'], dtype=object)})
    with pytest.raises(ValueError, match='allow_pickle'):
        NpzClips(str(tmp_path / 'f.npz'))


def test_words33_file(shared, root, monkeypatch, tmp_path):
    convert(root, monkeypatch, 'npz_to_store.py', shared / 'data' / 'asl_words33.npz', tmp_path / 's', '--protocol', 'words33', '--dtype', 'int16')
    store = PoseStore(tmp_path / 's')
    assert len(store) == 4634 and len(store.glosses) == 33
    counts = np.bincount(store.label)
    assert store.split_counts() == dict(
        train=sum(n // 2 for n in counts), val=sum(int(0.6 * n + 1e-9) - n // 2 for n in counts), test=sum(n - int(0.6 * n + 1e-9) for n in counts)
    )
    found = store.hands_found.any(axis=1)
    assert (np.add.reduceat(found, store.offset, dtype=int) == 0).sum() == 144  # clips without any hand, all of gloss "-"


# MP_Data tree


def tree(folder, numbers, frames=(0, 1, 2, 10), glosses=('no', 'yes'), sequences=('0', '10', '9')):
    random = np.random.RandomState(0)
    values = {}
    for gloss in glosses:
        for sequence in sequences:
            os.makedirs(folder / gloss / sequence)
            for frame in frames:
                values[gloss, sequence, frame] = random.uniform(0.1, 0.9, numbers)
                np.save(folder / gloss / sequence / f'{frame}.npy', values[gloss, sequence, frame])
    return values


@pytest.mark.parametrize('numbers', [258, 1662, 126])
def test_tree(tmp_path, numbers):
    values = tree(tmp_path / 't', numbers)
    lost = values['no', '9', 2]
    lost[numbers - 126 : numbers - 63] = 0  # the left hand
    np.save(tmp_path / 't' / 'no' / '9' / '2.npy', lost)
    clips = MPTreeClips(str(tmp_path / 't'), fps=30)
    store = write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert store.video_id.tolist() == ['no/0', 'no/9', 'no/10', 'yes/0', 'yes/9', 'yes/10'] and store.label.tolist() == [0, 0, 0, 1, 1, 1]
    assert store.fps[0] == 30 and store.length.tolist() == [4] * 6
    assert clips.gaps == {name: [3, 4, 5, 6, 7, 8, 9] for name in store.video_id}
    points, scores = store.clip(1)
    size, body = np.asarray([640, 480], dtype=np.float32), 0 if numbers == 126 else 33
    for place, frame in enumerate((0, 1, 2, 10)):
        value = values['no', '9', frame].astype(np.float32)
        if body:
            np.testing.assert_array_equal(points[place, :33], value[:132].reshape(33, 4)[:, :2] * size)
            np.testing.assert_array_equal(scores[place, :33], value[:132].reshape(33, 4)[:, 3])
        np.testing.assert_array_equal(points[place, body:], value[-126:].reshape(42, 3)[:, :2] * size)
    assert scores[2, body : body + 21].max() == 0 and (scores[[0, 1, 3], body:] == 1).all()


@pytest.mark.parametrize('hand, joints', [('left', slice(0, 21)), ('right', slice(21, 42))])
def test_tree_of_one_hand(tmp_path, hand, joints):
    values = tree(tmp_path / 't', 63)
    clip = next(iter(MPTreeClips(str(tmp_path / 't'), 1, 1, hand=hand)))
    np.testing.assert_array_equal(clip.keypoints[3, joints, :2], values['no', '0', 10].astype(np.float32).reshape(21, 3)[:, :2])
    assert clip.keypoints[..., 2].sum() == 4 * 21
    with pytest.raises(ValueError, match="give hand='left' or 'right' for 63 only"):
        MPTreeClips(str(tmp_path / 't'))


def test_tree_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected <gloss>/<sequence>/<frame>.npy'):
        MPTreeClips(str(tmp_path / 'nothing'))
    os.makedirs(tmp_path / 'empty' / 'no')
    with pytest.raises(ValueError, match='no <gloss>/<sequence>/ folders'):
        MPTreeClips(str(tmp_path / 'empty'))
    tree(tmp_path / 'odd', 100)
    with pytest.raises(ValueError, match=r'0.npy: 100 numbers found; expected one of 258 \(pose and hands\), 1662'):
        MPTreeClips(str(tmp_path / 'odd'))
    tree(tmp_path / 't', 258)
    with pytest.raises(ValueError, match='for 63 only'):
        MPTreeClips(str(tmp_path / 't'), hand='left')
    bad = tmp_path / 't' / 'yes' / '9' / '1.npy'
    np.save(bad, np.zeros(126))
    with pytest.raises(ValueError, match=f'{bad}: 126 numbers found, other frames have 258'):
        list(MPTreeClips(str(tmp_path / 't')))
    np.save(bad, np.asarray([{}], dtype=object))
    with pytest.raises(ValueError, match=f'{bad}: not a plain npy file'):
        list(MPTreeClips(str(tmp_path / 't')))
    bad.write_bytes(b'')
    with pytest.raises(ValueError, match=f'{bad}: not a plain npy file'):
        list(MPTreeClips(str(tmp_path / 't')))
    bad.rename(bad.with_name('last.npy'))
    with pytest.raises(ValueError, match=r"not <number>.npy: \['last.npy'\]"):
        list(MPTreeClips(str(tmp_path / 't')))
    for path in bad.parent.iterdir():
        path.unlink()
    with pytest.raises(ValueError, match='no .npy frames'):
        list(MPTreeClips(str(tmp_path / 't')))


def test_tree_protocol(tmp_path):
    tree(tmp_path / 't', 126, frames=(0,), glosses=('a',), sequences=map(str, range(10)))
    assert MPTreeClips(str(tmp_path / 't'), protocol='words33').split.tolist() == ['train'] * 5 + ['val'] + ['test'] * 4
    os.makedirs(tmp_path / 't' / 'a' / 'extra')
    with pytest.raises(ValueError, match=r"sequences named \['extra'\]"):
        MPTreeClips(str(tmp_path / 't'), protocol='words33')


def test_tree_equals_npz(shared, root, monkeypatch, tmp_path):
    """The shared tree holds 12 clips of the shared words33 file, which keeps float16 fractions: 640 x 2^-12 px apart at most."""
    convert(root, monkeypatch, 'mptree_to_store.py', shared / 'data' / 'mp_data_tree', tmp_path / 's')
    store = PoseStore(tmp_path / 's')
    assert len(store) == 12 and store.glosses == ['coffee', 'hello', 'water']
    clips = {clip.video_id: clip.keypoints for clip in NpzClips(str(shared / 'data' / 'asl_words33.npz'))}
    for index, name in enumerate(store.video_id):
        points, scores = store.clip(index)
        other = clips[f'asl_words33/{name}']
        np.testing.assert_array_equal(scores[:, 33:], other[:, 33:, 2])
        assert np.abs(points[:, 33:] - other[:, 33:, :2]).max() <= 640 * 2**-12
        assert np.abs(scores[:, :25] - other[:, :25, 2]).max() <= 2**-11


# .pose


HAND_POINTS = [f'P{index}' for index in range(21)]
HOLISTIC = dict(POSE_LANDMARKS=33, FACE_LANDMARKS=4, LEFT_HAND_LANDMARKS=21, RIGHT_HAND_LANDMARKS=21)
OPENPOSE = dict(pose_keypoints_2d=25, hand_left_keypoints_2d=21, hand_right_keypoints_2d=21)


def pose_file(path, components=HOLISTIC, size=(500, 400), people=1, frames=3):
    """Writes a .pose file; returns data (T, people, points, 3) and confidence (T, people, points)."""
    pose_format = pytest.importorskip('pose_format', reason='pose-format is not installed')
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    parts = [
        PoseHeaderComponent(name=name, points=[str(point) for point in range(count)], limbs=[], colors=[], point_format='XYZC')
        for name, count in components.items()
    ]
    header = PoseHeader(version=0.1, dimensions=PoseHeaderDimensions(*size, 0), components=parts)
    random = np.random.RandomState(1)
    points = sum(components.values())
    data = random.uniform(1, 400, (frames, people, points, 3)).astype(np.float32)
    confidence = random.uniform(0.1, 0.2, (frames, people, points)).astype(np.float32)
    confidence[:, people - 1] += 0.5  # the last is seen best
    confidence[1, :, :2] = 0
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        pose_format.Pose(header, NumPyPoseBody(25, data, confidence)).write(file)
    return data, confidence


@pytest.mark.parametrize('people', [1, 2])
def test_pose_files(tmp_path, people):
    data, confidence = pose_file(tmp_path / 'p' / 'a.pose', people=people)
    pose_file(tmp_path / 'p' / 'deep' / 'b.pose')
    clips = PoseFormatClips(str(tmp_path / 'p'))
    store = write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert store.layout.name == 'mediapipe_holistic' and store.video_id.tolist() == ['a', 'deep/b'] and store.label.tolist() == [-1, -1]
    assert store.width[0] == 500 and store.height[0] == 400 and store.fps[0] == 25
    points, scores = store.clip(0)
    taken = list(range(33)) + list(range(37, 79))  # without the face
    np.testing.assert_array_equal(scores, confidence[:, -1, taken])
    np.testing.assert_array_equal(points, data[:, -1, taken, :2] * (scores > 0)[..., None])
    assert not scores[1, :2].any()


def test_openpose_pose_files(tmp_path):
    data, _ = pose_file(tmp_path / 'a.pose', OPENPOSE)
    clips = PoseFormatClips(str(tmp_path / 'a.pose'))
    assert clips.layout == 'openpose'
    np.testing.assert_array_equal(next(iter(clips)).keypoints[0, 2:, :2], data[0, 0, 2:, :2])


def test_pose_labels(tmp_path):
    for name in ('a', 'b', 'c'):
        pose_file(tmp_path / 'p' / f'{name}.pose')
    table = tmp_path / 'labels.csv'

    def write(*rows):
        with open(table, 'w', newline='') as file:
            csv.writer(file).writerows(rows)
        return list(PoseFormatClips(str(tmp_path / 'p'), str(table)))

    clips = write(('file', 'gloss', 'split', 'signer'), ('c.pose', 'no', 'test', 'S1'), ('a', 'yes', '', ''))
    assert [(clip.video_id, clip.label, clip.split, clip.signer) for clip in clips] == [('a', 1, 'train', ''), ('c', 0, 'test', 'S1')]
    with pytest.raises(ValueError, match=r"name no file in .*: 1, the first: \['d'\]"):
        write(('file', 'gloss'), ('d', 'no'))
    with pytest.raises(ValueError, match='needed: file, gloss'):
        write(('name', 'gloss'), ('a', 'no'))


def test_pose_errors(tmp_path):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    with pytest.raises(FileNotFoundError, match='no such .pose files'):
        PoseFormatClips(str(tmp_path))
    pose_file(tmp_path / 'a.pose', dict(SOMETHING=3))
    with pytest.raises(ValueError, match=r"components \['SOMETHING'\]"):
        PoseFormatClips(str(tmp_path))
    pose_file(tmp_path / 'a.pose', dict(HOLISTIC, POSE_LANDMARKS=8))
    with pytest.raises(ValueError, match='POSE_LANDMARKS has 8 points, but 33 are expected'):
        list(PoseFormatClips(str(tmp_path)))
    pose_file(tmp_path / 'a.pose', size=(0, 0))
    with pytest.raises(ValueError, match='give width and height'):
        list(PoseFormatClips(str(tmp_path)))
    assert next(iter(PoseFormatClips(str(tmp_path), width=3, height=4))).height == 4
    pose_file(tmp_path / 'b.pose', OPENPOSE)
    with pytest.raises(ValueError, match='b.pose: has none of the components of mediapipe_holistic'):
        list(PoseFormatClips(str(tmp_path), width=3, height=4))
    (tmp_path / 'b.pose').write_bytes((tmp_path / 'a.pose').read_bytes()[:-50])
    with pytest.raises(ValueError, match='b.pose: not a whole .pose file'):
        list(PoseFormatClips(str(tmp_path), width=3, height=4))


def test_pose_format_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pose_format', None)
    with pytest.raises(ImportError, match='pip install pose-format'):
        PoseFormatClips('x.pose')


def test_shared_pose_files(shared, root, monkeypatch, tmp_path):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    convert(root, monkeypatch, 'pose_to_store.py', shared / 'data' / 'pose_format', tmp_path / 's')
    store = PoseStore(tmp_path / 's')
    store.verify()
    assert len(store) == 16 and store.layout.name == 'mediapipe_holistic' and store.hands_found[:, 1].mean() > 0.9
    points, scores = store.clip(0)
    seen = scores[:, 54] > 0  # the right hand's root lies at the body's right wrist and not at its left one
    right, left = (np.median(np.abs(points[seen, wrist] - points[seen, 54]).max(axis=1)) for wrist in (16, 15))
    assert seen.sum() > 5 and right < 30 < 200 < left  # of 500 px


# pyskl and mmaction2


def annotation(name, people=1, frames=3, label=0, dtype=np.float16, **changes):
    random = np.random.RandomState(frames)
    fields = dict(
        frame_dir=name, total_frames=frames, img_shape=(480, 640), original_shape=(480, 640), label=label,
        keypoint=random.uniform(1, 400, (people, frames, 133, 2)).astype(dtype),
        keypoint_score=random.uniform(0.1, 0.2, (people, frames, 133)).astype(dtype),
    )  # fmt: skip
    fields['keypoint_score'][-1] += 0.5
    return {**fields, **changes}


def pyskl_file(path, annotations, protocol=2, split=None, **extra):
    split = dict(train=['a', 'b'], test=['b', 'c']) if split is None else split
    path.write_bytes(pickle.dumps(dict(split=split, annotations=annotations, **extra), protocol=protocol))
    return str(path)


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_pyskl_import(tmp_path, protocol):
    annotations = [annotation('a', 2, 3, np.int64(1)), annotation('b', 1, 4), annotation('c', 1, 5, 2), annotation('unused')]
    clips = PysklClips(pyskl_file(tmp_path / 'f.pkl', annotations, protocol), 'coco_wholebody_133')
    store = write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert list(zip(store.video_id, store.split, store.label)) == [('a', 'train', 1), ('b', 'train', 0), ('b', 'test', 0), ('c', 'test', 2)]
    assert store.glosses == ['0', '1', '2'] and store.width[0] == 640 and store.height[0] == 480
    points, scores = store.clip(0)
    np.testing.assert_array_equal(points, annotations[0]['keypoint'][1])  # the one seen best
    np.testing.assert_array_equal(scores, annotations[0]['keypoint_score'][1])
    assert [clip.video_id for clip in PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133', splits=['test'])] == ['b', 'c']


def test_pyskl_without_scores_or_splits_or_people(tmp_path):
    plain = annotation('a')
    del plain['keypoint_score']
    plain['keypoint'][0, 1, 5] = 0
    nobody = annotation('b', keypoint=np.zeros((0, 3, 133, 2)), keypoint_score=np.zeros((0, 3, 133)))
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps([plain, nobody]))
    first, second = PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133')
    assert first.split == 'train' and first.keypoints[1, 5].tolist() == [0, 0, 0] and first.keypoints[..., 2].sum() == 3 * 133 - 1
    assert second.keypoints.shape == (3, 133, 3) and not second.keypoints.any()


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(keypoint=np.zeros((1, 3, 133, 3))), r'annotation 0 \(a\): keypoint is of shape \(1, 3, 133, 3\).*3-D joints are not read'),
        (dict(total_frames=4), r'expected \(people, 4, joints, 2\)'),
        (dict(keypoint_score=np.zeros((1, 3, 132))), 'keypoint_score is of shape'),
        (dict(label=[1, 2]), r'label is \[1, 2\]; expected one whole number'),
        (dict(label='yes'), 'label is'),
        (dict(keypoint=np.full((1, 3, 133, 2), np.nan)), 'frame 0, joint 0 .*x is nan'),
        (dict(keypoint=np.zeros((1, 3, 17, 2)), keypoint_score=np.zeros((1, 3, 17))), '17 joints found'),
    ],
)
def test_pyskl_errors(tmp_path, changes, message):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', **changes)])
    with pytest.raises(ValueError, match=message):
        clips = PysklClips(path, 'coco_wholebody_133')
        write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert os.listdir(tmp_path) == ['f.pkl']


def test_pyskl_file_errors(tmp_path):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a')])
    with pytest.raises(ValueError, match='does not say its layout'):
        PysklClips(path)
    with pytest.raises(ValueError, match=r"no split \['val'\]; splits there: {'train': 2, 'test': 2}"):
        PysklClips(path, 'coco_wholebody_133', splits=['val'])
    with pytest.raises(ValueError, match='no annotation is in any of the splits'):
        PysklClips(pyskl_file(tmp_path / 'f.pkl', [annotation('z')]), 'coco_wholebody_133')
    broken = annotation('a')
    del broken['label']
    with pytest.raises(ValueError, match='annotation 0: field label is absent'):
        PysklClips(pyskl_file(tmp_path / 'f.pkl', [broken]), 'coco_wholebody_133')
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps(3))
    with pytest.raises(ValueError, match='expected dict'):
        PysklClips(path, 'coco_wholebody_133')


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pyskl_payload_is_refused(tmp_path):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', keypoint=Payload(str(tmp_path / 'ran')))])
    with pytest.raises(ValueError, match=r'f.pkl: refused .*mkdir, which is not on the list.*nothing from it was run'):
        PysklClips(path, 'coco_wholebody_133')
    assert os.listdir(tmp_path) == ['f.pkl']


def test_pyskl_round_trip(root, monkeypatch, tmp_path):
    store = write_store(tmp_path / 's', splits=['train', 'test', 'train', 'val'])
    convert(root, monkeypatch, 'store_to_pyskl.py', tmp_path / 's', tmp_path / 'f.pkl')
    convert(root, monkeypatch, 'pyskl_to_store.py', tmp_path / 'f.pkl', tmp_path / 't')
    back = PoseStore(tmp_path / 't')
    assert back.glosses == store.glosses and back.layout == store.layout
    for name in ('label', 'length', 'split', 'video_id', 'signer', 'width', 'height'):
        assert getattr(back, name).tolist() == getattr(store, name).tolist()
    np.testing.assert_array_equal(back.keypoints, store.keypoints)
    (tmp_path / 'words.txt').write_text('x\ny\nz\n')
    options = ('--overwrite', '--glosses', tmp_path / 'words.txt', '--splits', 'train')
    convert(root, monkeypatch, 'pyskl_to_store.py', tmp_path / 'f.pkl', tmp_path / 't', *options)
    assert PoseStore(tmp_path / 't').glosses == ['x', 'y', 'z'] and len(PoseStore(tmp_path / 't')) == 2


def test_export_of_one_id_in_two_splits(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        for split in ('train', 'test'):
            writer.add(keypoints(2), 0, split, 'v', width=1, height=1)
    export_pyskl(PoseStore(tmp_path / 's'), str(tmp_path / 'f.pkl'))
    assert pickle.loads((tmp_path / 'f.pkl').read_bytes())['split'] == dict(train=['train/v'], test=['test/v'])


def test_exported_pickle_loads_in_mmaction2(tmp_path):
    try:
        from signbert_mm.compat import import_mmaction

        import_mmaction()
        from mmaction.datasets import PoseDataset as ActionPoseDataset
        from mmaction.utils import register_all_modules
    except ImportError as error:
        pytest.skip(f'mmaction2 is not installed ({error})')
    store = write_store(tmp_path / 's', (9, 5, 7), splits=['train', 'train', 'val'], layout='coco_wholebody_133')
    export_pyskl(store, str(tmp_path / 'f.pkl'))
    register_all_modules(init_default_scope=False)
    pipeline = [dict(type='mmaction.UniformSampleFrames', clip_len=4, test_mode=True, num_clips=1), dict(type='mmaction.PoseDecode')]
    dataset = ActionPoseDataset(str(tmp_path / 'f.pkl'), pipeline, split='train', test_mode=True)
    assert len(dataset) == 2
    item = dataset[1]
    points, scores = store.clip(1)
    assert item['frame_dir'] == 'v1' and item['label'] == 1 and item['total_frames'] == 5 and item['img_shape'] == (480, 640)
    np.testing.assert_array_equal(item['keypoint'][0], points[item['frame_inds']])
    np.testing.assert_array_equal(item['keypoint_score'][0], scores[item['frame_inds']])
