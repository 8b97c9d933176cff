""".pose files as stores."""

import csv
import os
import sys

import numpy as np
import pytest
from pose_store_fixtures import convert

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.layouts import COCO_WHOLEBODY_133
from signbert_mm.prepare.importers import PoseFormatClips, write_clips
from signbert_mm.prepare.sources import ClipRecord, SourceIndex, open_poses
from signbert_mm.prepare.sources import convert as convert_index

HAND_POINTS = [f'P{index}' for index in range(21)]
HOLISTIC = dict(POSE_LANDMARKS=33, FACE_LANDMARKS=4, LEFT_HAND_LANDMARKS=21, RIGHT_HAND_LANDMARKS=21)
OPENPOSE = dict(pose_keypoints_2d=25, hand_left_keypoints_2d=21, hand_right_keypoints_2d=21)


def pose_file(path, components=HOLISTIC, size=(500, 400), people=1, frames=3):
    """Writes a .pose file; returns data (T, people, points, 3) and confidence (T, people, points)."""
    pose_format = pytest.importorskip('pose_format', reason='pose-format is not installed')
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    parts = [
        PoseHeaderComponent(
            name=name,
            points=[str(point) for point in (range(points) if isinstance(points, int) else points)],
            limbs=[],
            colors=[],
            point_format='XYZC',
        )
        for name, points in components.items()
    ]
    header = PoseHeader(version=0.1, dimensions=PoseHeaderDimensions(*size, 0), components=parts)
    random = np.random.RandomState(1)
    points = sum(len(part.points) for part in parts)
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
    assert (
        store.layout.name == 'mediapipe_holistic'
        and store.video_id.tolist() == ['a', 'deep/b']
        and store.label.tolist() == [-1, -1]
    )
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


COCO_BODY = list(COCO_WHOLEBODY_133.joints[:23])


@pytest.mark.parametrize('suffix', ['', '_133'])
def test_whole_body_pose_files(tmp_path, suffix):
    # The components stand in another order than the joints.
    parts = {f'LEFT_HAND{suffix}': HAND_POINTS, f'BODY{suffix}': COCO_BODY, f'FACE{suffix}': 68}
    data, confidence = pose_file(tmp_path / 'a.pose', parts)
    clips = PoseFormatClips(str(tmp_path))
    keypoints = next(iter(clips)).keypoints
    assert clips.layout == 'coco_wholebody_133' and keypoints.shape == (3, 133, 3)
    np.testing.assert_array_equal(keypoints[2, 91:112, :2], data[2, 0, :21, :2])
    np.testing.assert_array_equal(keypoints[2, :91, :2], data[2, 0, 21:, :2])
    np.testing.assert_array_equal(keypoints[:, :91, 2], confidence[:, 0, 21:])
    assert not keypoints[:, 112:].any()


def test_pose_files_of_alphapose_with_136_points(tmp_path):
    # In their order, which is not that of COCO-WholeBody: head_top, neck and pelvis stand between.
    body = [
        *COCO_BODY[:17],
        'head_top',
        'neck',
        'pelvis',
        *(COCO_BODY[place] for place in (17, 20, 18, 21, 19, 22)),
    ]
    data, _ = pose_file(tmp_path / 'a.pose', dict(BODY_136=body, RIGHT_HAND_136=HAND_POINTS))
    keypoints = next(iter(PoseFormatClips(str(tmp_path)))).keypoints
    np.testing.assert_array_equal(keypoints[2, :17, :2], data[2, 0, :17, :2])
    np.testing.assert_array_equal(keypoints[2, [17, 20, 18, 21, 19, 22], :2], data[2, 0, 20:26, :2])
    np.testing.assert_array_equal(keypoints[2, 112:, :2], data[2, 0, 26:, :2])


def test_a_body_alone_and_points_that_go_by_name(tmp_path):
    data, _ = pose_file(tmp_path / 'a.pose', dict(POSE_LANDMARKS=['LEFT_WRIST', 'NOSE', 'RIGHT_FOOT_INDEX']))
    clips = PoseFormatClips(str(tmp_path))
    keypoints = next(iter(clips)).keypoints
    assert clips.layout == 'mediapipe_holistic'
    np.testing.assert_array_equal(keypoints[2, [15, 0, 32], :2], data[2, 0, :, :2])
    assert (keypoints[2] != 0).any(axis=-1).sum() == 3


def test_pose_labels(tmp_path):
    for name in ('a', 'b', 'c'):
        pose_file(tmp_path / 'p' / f'{name}.pose')
    table = tmp_path / 'labels.csv'

    def write(*rows):
        with open(table, 'w', newline='') as file:
            csv.writer(file).writerows(rows)
        return list(PoseFormatClips(str(tmp_path / 'p'), str(table)))

    clips = write(
        ('file', 'gloss', 'split', 'signer'), ('c.pose', 'no', 'test', 'S1'), ('a', 'yes', 'train', '')
    )
    assert [(clip.video_id, clip.label, clip.split, clip.signer) for clip in clips] == [
        ('a', 1, 'train', ''),
        ('c', 0, 'test', 'S1'),
    ]
    assert [clip.split for clip in write(('file', 'gloss', 'split'), ('a', 'no', ''))] == ['train']
    with pytest.raises(ValueError, match=r"name no file in .*: 1, the first: \['d'\]"):
        write(('file', 'gloss'), ('d', 'no'))
    with pytest.raises(ValueError, match='needed: file, gloss'):
        write(('name', 'gloss'), ('a', 'no'))


@pytest.mark.parametrize(
    'text, message',
    [
        (
            'file,gloss\na,yes\na,no\n',
            r"'a' is listed twice: line 2 \(yes\) and line 3 \(no\); remove one of "
            r'them',
        ),
        ('file,gloss\na,\n', r"line 2: \['a', ''\] found"),
        ('file,gloss\nhello,yes\n', "'hello' fits several: 's1/hello' of .* and 's2/hello' of"),
        ('file,gloss,split\na,yes,dev\nb,no,Dev\n', "splits 'dev' and 'Dev' differ in their capitals alone"),
        ('file,gloss\na,yes\na.pose,no\n', 'is listed by another line too'),
        (
            'file,gloss,split\na,yes,test\nb,no,\n',
            'line 3: no split, and other lines have one; write it there',
        ),
    ],
)
def test_labels_that_are_wrong(tmp_path, text, message):
    for name in ('a', 'b', 's1/hello', 's2/hello'):
        pose_file(tmp_path / 'p' / f'{name}.pose')
    (tmp_path / 'l.csv').write_text(text)
    with pytest.raises(ValueError, match=message):
        PoseFormatClips(str(tmp_path / 'p'), str(tmp_path / 'l.csv'))


def test_labels_are_the_same_however_they_are_saved(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr('signbert_mm.files.folders.print_log', lambda text, **_: lines.append(text))
    for name in ('cafe\u0301', 'b', 'deep/c', 'rest'):
        pose_file(tmp_path / 'p' / f'{name}.POSE' if name == 'b' else tmp_path / 'p' / f'{name}.pose')
    text = (
        '\ufeffFile;Gloss;Split\r\ncaf\u00e9.pose;yes ;Train\r\n;;\r\nb;no;TEST \r\ndeep\\c.mp4; '
        'yes;train\r\nb;no;test\r\n'
    )
    (tmp_path / 'l.csv').write_bytes(text.encode())
    clips = PoseFormatClips(str(tmp_path / 'p'), str(tmp_path / 'l.csv'))
    assert clips.glosses == ['no', 'yes']
    found = {clip.video_id: (clip.label, clip.split) for clip in clips}
    assert found == {'caf\u00e9': (1, 'train'), 'b': (0, 'test'), 'deep/c': (1, 'train')}
    assert lines == [
        f'{tmp_path / "p"}: 1 file or folder is not taken, not listed in {tmp_path / "l.csv"}: rest.pose'
    ]


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
    clip = next(iter(PoseFormatClips(str(tmp_path), width=3, height=4)))
    assert (clip.width, clip.height) == (3, 4)
    pose_file(tmp_path / 'b.pose', OPENPOSE)
    with pytest.raises(ValueError, match='b.pose: has none of the components of mediapipe_holistic'):
        list(PoseFormatClips(str(tmp_path), width=3, height=4))
    (tmp_path / 'b.pose').write_bytes((tmp_path / 'a.pose').read_bytes()[:-50])
    with pytest.raises(ValueError, match='b.pose: not a whole .pose file'):
        list(PoseFormatClips(str(tmp_path), width=3, height=4))


def test_the_size_in_a_file_goes_before_the_given_one(tmp_path):
    pose_file(tmp_path / 'a.pose', size=(500, 400))
    pose_file(tmp_path / 'b.pose', size=(0, 0))
    clips = PoseFormatClips(str(tmp_path), width=1280, height=720)
    assert [(clip.width, clip.height) for clip in clips] == [(500, 400), (1280, 720)]


def test_the_given_or_annotated_size_reaches_a_conversion(tmp_path):
    pose_file(tmp_path / 'p' / 'a.pose', size=(0, 0))

    def size(annotated, **given):
        record = ClipRecord('a', 0, 'train', size=annotated)
        poses = open_poses(str(tmp_path / 'p'), **given)
        store = convert_index(SourceIndex('x', ['yes'], [record]), tmp_path / 's', poses, overwrite=True)
        return store.width[0], store.height[0]

    assert size(None, width=1280, height=720) == (1280, 720) and size((640, 480)) == (640, 480)
    with pytest.raises(
        ValueError, match='p: a: neither poses nor annotation tell the image size; give --width'
    ):
        size(None)


def test_the_first_file_that_can_be_read_tells_the_layout(tmp_path):
    pose_file(tmp_path / 'b.pose', OPENPOSE)
    (tmp_path / 'a.pose').write_bytes(b'torn')
    clips = PoseFormatClips(str(tmp_path))
    assert clips.layout == 'openpose' and clips.clip(str(tmp_path / 'b.pose')).width == 500
    (tmp_path / 'b.pose').write_bytes(b'torn')
    with pytest.raises(
        ValueError, match=r'none of 2 \.pose files can be read, the first: .*a\.pose: not a whole'
    ):
        PoseFormatClips(str(tmp_path))


def test_pose_format_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pose_format', None)
    with pytest.raises(ImportError, match='pip install pose-format'):
        PoseFormatClips('x.pose')


def test_help_says_where_pose_format_comes_from(root, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        convert(root, monkeypatch, 'pose_to_store.py', '--help')
    assert '`make install` brings pose-format' in capsys.readouterr().out


def test_shared_pose_files(shared, root, monkeypatch, tmp_path):
    pytest.importorskip('pose_format', reason='pose-format is not installed')
    convert(root, monkeypatch, 'pose_to_store.py', shared / 'data' / 'pose_format', tmp_path / 's')
    store = PoseStore(tmp_path / 's')
    store.verify()
    assert (
        len(store) == 16
        and store.layout.name == 'mediapipe_holistic'
        and store.hands_found[:, 1].mean() > 0.9
    )
    points, scores = store.clip(0)
    seen = scores[:, 54] > 0  # the right hand's root lies at the body's right wrist and not at its left one
    right, left = (
        np.median(np.abs(points[seen, wrist] - points[seen, 54]).max(axis=1)) for wrist in (16, 15)
    )
    assert seen.sum() > 5 and right < 30 < 200 < left  # of 500 px
