"""The arrays of SAM-SLR as stores."""

import pickle

import numpy as np
import pytest
from pose_store_fixtures import convert

from signbert_mm.datasets import PoseStore
from signbert_mm.layouts import get_layout
from signbert_mm.prepare.importers import SamSlrClips
from signbert_mm.prepare.importers.sam_slr import unpadded_length

LENGTHS = dict(train=(7, 20, 26), test=(5,))
NAMES = dict(train=['signer0_sample1', 'signer0_sample2', 'signer11_sample1'], test=['signer2_sample9'])
LABELS = dict(train=[1, 0, 2], test=[1])


def write(folder, frames=20, joints=27, channels=3, people=1, repeat=True):
    """Files as sign_gendata.py writes them; returns the clips (T, V, C) of each split."""
    folder.mkdir(exist_ok=True)
    random, clips = np.random.RandomState(0), {}
    for split, lengths in LENGTHS.items():
        clips[split] = [
            random.uniform(20, 500, (length, joints, channels)).astype(np.float32) for length in lengths
        ]
        array = np.zeros((len(lengths), frames, joints, channels, people), dtype=np.float32)
        for row, clip in zip(array, clips[split]):
            if channels == 3:
                clip[..., 2] = random.uniform(0.1, 1, clip.shape[:2])
            # From the begin again, until the array is full.
            places = np.arange(frames) % len(clip) if repeat else np.arange(min(frames, len(clip)))
            row[: len(places), ..., people - 1] = clip[places]
        np.save(folder / f'{split}_data_joint.npy', array.transpose(0, 3, 1, 2, 4))
        with open(folder / f'{split}_label.pkl', 'wb') as file:
            pickle.dump((NAMES[split], LABELS[split]), file)
    return clips


@pytest.mark.parametrize('people', [1, 2])
@pytest.mark.parametrize('repeat', [True, False])
def test_clips(tmp_path, people, repeat):
    written = write(tmp_path / 'a', people=people, repeat=repeat)
    clips = list(SamSlrClips(str(tmp_path / 'a'), layout='sam_slr_27', signer=r'^signer(\d+)', fps=30))
    assert [clip.video_id for clip in clips] == NAMES['train'] + NAMES['test']
    assert [clip.signer for clip in clips] == ['0', '0', '11', '2']
    assert [(clip.label, clip.split) for clip in clips] == [
        (1, 'train'),
        (0, 'train'),
        (2, 'train'),
        (1, 'test'),
    ]
    # The padding is gone; what was longer than the array stays cut.
    assert [len(clip.keypoints) for clip in clips] == [7, 20, 20, 5]
    for clip, expected in zip(clips, written['train'] + written['test']):
        np.testing.assert_array_equal(clip.keypoints, expected[:20])


def test_joints_of_hands_and_body(tmp_path):
    written = write(tmp_path / 'a', channels=2)['train'][0]
    clip = next(iter(SamSlrClips(str(tmp_path / 'a'))))
    layout = get_layout('sign_49')
    left, right, trunk = (
        clip.keypoints[:, layout.parts[name]] for name in ('left_hand', 'right_hand', 'trunk')
    )
    # Root, the tip of the thumb, and root and tip of each finger.
    places = [0, 4, 5, 8, 9, 12, 13, 16, 17, 20]
    np.testing.assert_array_equal(left[:, places, :2], written[:, 7:17])
    np.testing.assert_array_equal(right[:, places, :2], written[:, 17:])
    assert (left[:, places, 2] == 1).all() and left[..., 2].sum() == 7 * 10
    # Nose, and per side shoulder, elbow, wrist.
    np.testing.assert_array_equal(trunk[..., :2], written[:, [0, 1, 3, 5, 2, 4, 6]])


def test_lengths():
    clip = np.arange(1, 7.0)[:, None]
    assert unpadded_length(np.concatenate([clip, clip, clip[:1]])) == 6
    assert unpadded_length(np.concatenate([clip, clip[:2], clip[:0:-1]])) == 13
    assert unpadded_length(np.concatenate([clip, np.zeros((3, 1))])) == 6
    # Nothing moves, or nobody is there.
    assert unpadded_length(np.ones((5, 1))) == 5
    assert unpadded_length(np.zeros((5, 1))) == 1


def test_the_tool(tmp_path, root, monkeypatch):
    write(tmp_path / 'a')
    (tmp_path / 'glosses.txt').write_text('no\nyes\nmaybe\n')
    options = ['--glosses', tmp_path / 'glosses.txt', '--signer', '^signer[0-9]+']
    convert(root, monkeypatch, 'sam_slr_to_store.py', tmp_path / 'a', tmp_path / 's', *options)
    store = PoseStore(tmp_path / 's')
    store.verify()
    assert store.layout.name == 'sign_49' and store.split_counts() == dict(train=3, test=1)
    assert store.glosses[store.label[3]] == 'yes' and store.signer[3] == 'signer2' and store.width[0] == 512
    # Ten joints are enough for a hand to be found.
    assert store.hands_found.mean() > 0.5


@pytest.mark.parametrize(
    'name, content, message',
    [
        (
            'train_data_joint.npy',
            np.zeros((3, 3, 20, 19, 1)),
            r'float64 of shape \(3, 3, 20, 19, 1\); expected',
        ),
        ('train_data_joint.npy', np.zeros((3, 3, 20, 27)), 'expected'),
        ('train_data_joint.npy', np.zeros((3, 3, 20, 27, 1), dtype='i4'), 'numbers are int32'),
        ('train_data_joint.npy', np.zeros((2, 3, 20, 27, 1)), '3 names and 3 labels .* for 2 clips'),
        ('train_label.pkl', [1, 2, 3], 'a pair of lists'),
        ('train_label.pkl', (['a', 'b', 'c'], [0, 1, -1]), 'labels run from -1 to 1'),
        ('train_label.pkl', (['a', 'b', 'c'], [0, 1, 10**9]), 'labels run from 0 to 1000000000'),
        ('train_label.pkl', (['a', 'b', 'c'], ['x', 'y', 'z']), 'labels as whole numbers'),
        ('train_label.pkl', print, 'refused'),
    ],
)
def test_what_is_no_such_file(tmp_path, name, content, message):
    write(tmp_path / 'a')
    if name.endswith('.npy'):
        np.save(tmp_path / 'a' / name, content)
    else:
        (tmp_path / 'a' / name).write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=message):
        SamSlrClips(str(tmp_path / 'a'))


def test_what_is_absent(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such arrays'):
        SamSlrClips(str(tmp_path))
    write(tmp_path / 'a')
    with pytest.raises(FileNotFoundError, match='val_data_joint.npy: no such arrays'):
        SamSlrClips(str(tmp_path / 'a'), splits=['val'])
    with pytest.raises(ValueError, match='a label is 2, but there are 2 glosses'):
        SamSlrClips(str(tmp_path / 'a'), ['no', 'yes'])
    with pytest.raises(ValueError, match='signer0_sample1: --signer .* finds no signer'):
        list(SamSlrClips(str(tmp_path / 'a'), signer='^x'))
    with pytest.raises(ValueError, match=r"--signer '\(' is no regular expression"):
        SamSlrClips(str(tmp_path / 'a'), signer='(')
    (tmp_path / 'a' / 'test_label.pkl').unlink()
    with pytest.raises(FileNotFoundError):
        SamSlrClips(str(tmp_path / 'a'))
