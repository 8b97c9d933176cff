import numpy as np
import pytest
from hand_points import left_hand, right_hand

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources.hands17 import Hands17Clips, read_annotation

# the owners' order: wrist, five knuckles from the thumb, then the other three joints of each finger ->
# hand_21
TO_HANDS17 = [0, 1, 5, 9, 13, 17, 2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20]
LENGTHS = {'1': 10, '2': 7, '11': 45}


def line(name, points):
    return name + '\t' + ''.join(f'{value:.4f}\t' for value in points[TO_HANDS17].reshape(-1)) + '\n'


def make_hands17(folder, hand=right_hand):
    """The official file (image names of Windows, tabs, one at the end of the line); returns the joints by
    sequence.
    """
    (folder / 'test').mkdir(parents=True)
    made = {name: hand(length, int(name)) for name, length in LENGTHS.items()}
    lines = [
        line(f'tracking\\{name}\\images\\image_D{frame:08d}.png', points)
        for name in made
        for frame, points in enumerate(made[name])
    ]
    (folder / 'test' / 'test_annotation_tracking.txt').write_text(''.join(lines))
    return made


@pytest.fixture(scope='module')
def hands17(tmp_path_factory):
    folder = tmp_path_factory.mktemp('hands17')
    return folder, make_hands17(folder)


def test_projection_split_and_clips(hands17):
    folder, made = hands17
    clips = Hands17Clips(str(folder), clip_len=4)
    # the first 70 %, rounded down: 7 + 3, 4 + 3, 31 + 14
    assert clips.frames() == dict(train=42, test=20) and clips.coverage() == dict(
        train=2 + 1 + 8, test=1 + 1 + 4
    )
    found = {clip.video_id: clip for clip in clips}
    assert len(found) == 17 and list(found)[:4] == ['1/00000', '1/00004', '1/00007', '2/00000']
    assert (
        found['1/00004'].split == 'train'
        and len(found['1/00004'].keypoints) == 3
        and found['1/00007'].split == 'test'
    )
    for name, first in (('1', 7), ('11', 43)):
        clip = found[f'{name}/{first:05d}']
        for frame, joints in enumerate(clip.keypoints, first):
            for joint, (x, y, score) in enumerate(joints):
                px, py, pz = made[name][frame, joint]
                np.testing.assert_allclose(
                    [x, y], [475.065948 * px / pz + 315.944855, 475.065857 * py / pz + 245.287079], rtol=1e-5
                )
                assert score == 1
    assert (clip.width, clip.height, clip.label) == (640, 480, -1)


def test_whole_sequences_and_a_list_of_them(hands17, tmp_path):
    folder, made = hands17
    whole = {clip.video_id: clip for clip in Hands17Clips(str(folder), clip_len=0)}
    assert list(whole) == ['1/00000', '1/00007', '2/00000', '2/00004', '11/00000', '11/00031']
    (tmp_path / 'Training_Annotation.txt').write_text(
        ''.join(line(f'image_D{frame}.png', made['11'][frame]) for frame in range(6))
    )
    with pytest.raises(ValueError, match='line 1: .image_D0.png. does not tell its sequence.*--sequences'):
        Hands17Clips(str(tmp_path / 'Training_Annotation.txt'))
    (tmp_path / 'list.txt').write_text(''.join(f'image_D{frame}.png a\n' for frame in (5, 3, 1)))
    clips = list(Hands17Clips(str(tmp_path / 'Training_Annotation.txt'), str(tmp_path / 'list.txt')))
    assert [(clip.video_id, clip.split, len(clip.keypoints)) for clip in clips] == [
        ('a/00000', 'train', 2),
        ('a/00002', 'test', 1),
    ]
    np.testing.assert_allclose(clips[0].keypoints[1], whole['11/00000'].keypoints[3], atol=1e-3)
    for text, message in (
        ('image_D9.png a\n', 'is not in'),
        ('image_D1.png\n', 'line 1: 1 words'),
        ('', 'no lines'),
        (2 * 'image_D1.png a\n', 'line 2.*twice'),
    ):
        (tmp_path / 'list.txt').write_text(text)
        with pytest.raises(ValueError, match=message):
            Hands17Clips(str(tmp_path / 'Training_Annotation.txt'), str(tmp_path / 'list.txt'))


def test_unannotated_joints(tmp_path):
    made = make_hands17(tmp_path)['1'].copy()
    made[:, 4] = 0
    (tmp_path / 'one.txt').write_text(
        ''.join(line(f'tracking/1/images/image_D{frame}.png', points) for frame, points in enumerate(made))
    )
    for clip in Hands17Clips(str(tmp_path / 'one.txt')):
        np.testing.assert_array_equal(clip.keypoints[:, 4], 0)
        assert clip.keypoints[..., 2].sum() == 20 * len(clip.keypoints)


def test_tool(hands17, run_converter, capsys):
    folder, _ = hands17
    run_converter('hands17_to_store.py', folder, 'data/hands17')
    store = PoseStore('data/hands17')
    assert store.split_counts() == dict(train=3, test=3) and store.layout.name == 'hand_21'
    assert store.coverage['train'] == dict(expected=3, present=3) and store.meta['notes']['frames'] == dict(
        train=42, test=20
    )
    text = capsys.readouterr().out
    assert (
        '3 sequences of 62 frames; the paper has 99 of 292,820' in text and 'taken as the right one' in text
    )


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='test_annotation_tracking.txt: no such file'):
        Hands17Clips(str(tmp_path))
    make_hands17(tmp_path)
    path = tmp_path / 'test' / 'test_annotation_tracking.txt'
    lines = path.read_text().splitlines(keepends=True)
    cases = [
        (lines[:2] + [lines[2].rsplit('\t', 4)[0] + '\n'], 'line 3: 60 numbers'),
        (lines[:2] + [lines[2].replace('.', 'o', 3)], r'line 3: .*expected an image name and 63 numbers'),
        (lines + [lines[4]], f'image .*D00000004.png. is listed twice: lines 5 and {len(lines) + 1}'),
        ([], 'no lines'),
    ]
    for text, message in cases:
        path.write_text(''.join(text))
        with pytest.raises(ValueError, match=message):
            read_annotation(str(path))
    points = right_hand(1)[0]
    points[3, 2] = -5
    path.write_text(line('tracking/1/images/a.png', points))
    with pytest.raises(ValueError, match='line 1: joint thumb3 lies at'):
        list(Hands17Clips(str(tmp_path)))
    (tmp_path / 'test_annotation_tracking.txt').write_text(''.join(lines))
    with pytest.raises(ValueError, match='is there twice'):
        Hands17Clips(str(tmp_path))
    with pytest.raises(ValueError, match='train_share'):
        Hands17Clips(str(tmp_path), train_share=1.5)


def test_the_side_is_checked(tmp_path):
    make_hands17(tmp_path, left_hand)
    with pytest.raises(ValueError, match='--side left'):
        Hands17Clips(str(tmp_path))
    assert Hands17Clips(str(tmp_path), side='left').right_hand_share < 0.1
