"""npz files and trees of frames as stores."""

import os

import numpy as np
import pytest
from pose_store_fixtures import convert

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.prepare.importers import MPTreeClips, NpzClips, words33_splits, write_clips


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
    assert (
        store.layout.name == 'mediapipe_holistic'
        and store.glosses == ['no', 'yes']
        and store.length.tolist() == [5, 3, 5, 1]
    )
    assert store.video_id.tolist() == [
        'f/no/10',
        'f/no/9',
        'f/yes/0',
        'f/yes/1',
    ] and store.split_counts() == dict(train=4)
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
    assert (
        clips.layout == 'hands_42'
        and clip.keypoints.shape == (5, 42, 3)
        and (clip.width, clip.height) == (100, 200)
    )
    np.testing.assert_array_equal(
        clip.keypoints[0, :21, :2],
        fields['hands'][0, 0, 0].astype(np.float32) * np.asarray([100, 200], dtype=np.float32),
    )


def test_words33_splits():
    # gloss 0: 10 clips in seq_id order 0 .. 9 (as integers), gloss 1: 5, gloss 2: 1
    label = np.asarray([0] * 10 + [1] * 5 + [2])
    seq = np.asarray(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0', '100', '20', '3', '1', '0', '7'])
    split = words33_splits(label, seq)
    assert split[:10].tolist() == ['test'] * 4 + ['val'] + ['train'] * 5
    # floor(2.5), floor(3)
    assert dict(zip(seq[10:15], split[10:15])) == {
        '0': 'train',
        '1': 'train',
        '3': 'val',
        '20': 'test',
        '100': 'test',
    }
    assert split[15] == 'test'


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(hands=np.zeros((4, 5, 2, 20, 2))), r'hands are of shape \(4, 5, 2, 20, 2\)'),
        (dict(label=np.zeros(3, dtype=int)), r"fields \['label'\] are not of shape \(4,\)"),
        (dict(twin=np.zeros((4, 1), dtype=int)), r"fields \['twin'\] are not of shape \(4,\)"),
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


def more_fields(**changes):
    more = dict(
        split=np.asarray(['train', 'val', 'train', 'test']),
        signer=np.asarray([7, -1, 7, 12]),
        session=np.asarray([0, 1, 2, 1]),
        twin=np.asarray([-1, 3, -1, 3]),
        in1=np.asarray([False, False, True, True]),
    )
    return {**npz_fields(pose=False), **more, **changes}


def read_npz(tmp_path, fields, **options):
    np.savez(tmp_path / 'f.npz', **fields)
    return NpzClips(str(tmp_path / 'f.npz'), **options)


def test_npz_recorded_splits_and_signers(tmp_path):
    clips = list(read_npz(tmp_path, more_fields(), protocol='recorded'))
    assert [clip.split for clip in clips] == ['train', 'val', 'train', 'test']
    assert [clip.signer for clip in clips] == ['7', '', '7', '12']


def test_npz_sessions_are_splits(tmp_path):
    clips = list(read_npz(tmp_path, more_fields(), protocol='sessions'))
    assert [clip.split for clip in clips] == ['session0', 'session1', 'session2', 'session1']


def test_npz_subset_has_its_own_label_map(tmp_path):
    clips = read_npz(tmp_path, more_fields(), subset='in1')
    assert clips.glosses == ['yes'] and len(clips) == 2
    assert [(clip.label, clip.video_id) for clip in clips] == [(0, 'f/yes/0'), (0, 'f/yes/1')]


def test_npz_without_twins(tmp_path):
    clips = read_npz(tmp_path, more_fields(), drop_twins=True)
    assert [clip.video_id for clip in clips] == ['f/no/10', 'f/yes/0'] and clips.glosses == ['no', 'yes']


def test_npz_under_another_label_map(tmp_path):
    clips = read_npz(tmp_path, more_fields())
    assert clips.keep_glosses(['never', 'yes', 'maybe']) == 2
    assert clips.glosses == ['never', 'yes', 'maybe']
    assert [(clip.label, clip.video_id) for clip in clips] == [(1, 'f/yes/0'), (1, 'f/yes/1')]
    with pytest.raises(ValueError, match='no clip has a gloss of'):
        clips.keep_glosses(['no one'])


def test_npz_subset_under_another_label_map(tmp_path):
    clips = read_npz(tmp_path, more_fields(), subset='in1')
    assert clips.keep_glosses(['yes', 'no']) == 0
    assert [clip.label for clip in clips] == [0, 0]


@pytest.mark.parametrize(
    'changes, options, message',
    [
        (dict(split=None), dict(protocol='recorded'), r"fields absent: \['split'\]"),
        (dict(session=None), dict(protocol='sessions'), r"fields absent: \['session'\]"),
        (dict(twin=None), dict(drop_twins=True), r"fields absent: \['twin'\]"),
        ({}, dict(subset='in2'), r"fields absent: \['in2'\]"),
        ({}, dict(subset='twin'), 'a subset is a boolean field'),
        (dict(in1=np.zeros(4, bool)), dict(subset='in1'), 'no clips are left'),
        (dict(signer=np.zeros(3, int)), {}, r"fields \['signer'\] are not of shape"),
    ],
)
def test_npz_options_that_do_not_fit(tmp_path, changes, options, message):
    fields = {name: value for name, value in more_fields(**changes).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        read_npz(tmp_path, fields, **options)


def test_messages_name_the_clip_of_the_file(tmp_path):
    """Its place in the store is another one: the first two clips are left out."""
    fields = more_fields()
    fields['hands'][3, 0, 1, 4, 0] = np.nan
    message = r"f.npz: clip 3 \(seq_id 1, 'yes'\): frame 0, joint 25 \(right_thumb4\): x is nan"
    with pytest.raises(ValueError, match=message):
        write_clips(
            PoseStoreWriter(tmp_path / 's', 'hands_42', ['yes']), read_npz(tmp_path, fields, subset='in1')
        )


def test_npz_with_objects(tmp_path):
    np.savez(tmp_path / 'f.npz', **{**npz_fields(), 'classes': np.asarray([{}, 'b'], dtype=object)})
    with pytest.raises(ValueError, match='an array holds Python objects'):
        NpzClips(str(tmp_path / 'f.npz'))


def test_words33_file(shared, root, monkeypatch, tmp_path):
    convert(
        root,
        monkeypatch,
        'npz_to_store.py',
        shared / 'data' / 'asl_words33.npz',
        tmp_path / 's',
        '--protocol',
        'words33',
        '--dtype',
        'int16',
    )
    store = PoseStore(tmp_path / 's')
    assert len(store) == 4634 and len(store.glosses) == 33
    counts = np.bincount(store.label)
    assert store.split_counts() == dict(
        train=sum(n // 2 for n in counts),
        val=sum(int(0.6 * n + 1e-9) - n // 2 for n in counts),
        test=sum(n - int(0.6 * n + 1e-9) for n in counts),
    )
    found = store.hands_found.any(axis=1)
    # clips without any hand, all of gloss "-"
    assert (np.add.reduceat(found, store.offset, dtype=int) == 0).sum() == 144


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
    assert store.video_id.tolist() == [
        'no/0',
        'no/9',
        'no/10',
        'yes/0',
        'yes/9',
        'yes/10',
    ] and store.label.tolist() == [0, 0, 0, 1, 1, 1]
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
    np.testing.assert_array_equal(
        clip.keypoints[3, joints, :2], values['no', '0', 10].astype(np.float32).reshape(21, 3)[:, :2]
    )
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
    with pytest.raises(
        ValueError,
        match=r'0.npy: 100 numbers found; expected one of 258 \(pose and hands\), '
        r'1662',
    ):
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


def test_what_lies_in_a_tree_and_is_no_frame_is_named(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'signbert_mm.files.folders.print_log', lambda text, **_: lines.append(text.split(': ', 1)[1])
    )
    tree(tmp_path / 't', 126, sequences=('0',))
    (tmp_path / 't' / 'maybe').mkdir()
    (tmp_path / 't' / 'no' / '0' / '1.npy').rename(tmp_path / 't' / 'no' / '0' / '1.NPY')
    np.save(tmp_path / 't' / 'no' / '5.npy', np.zeros(126))
    (tmp_path / 't' / 'no' / '0' / 'notes.txt').touch()
    clips = MPTreeClips(str(tmp_path / 't'))
    assert clips.glosses == ['no', 'yes'] and len(next(iter(clips)).keypoints) == 4
    assert sorted(lines) == [
        '1 file or folder is not taken, a gloss without sequences: maybe',
        '1 file or folder is not taken, not a .npy file, by its suffix (.txt): no/0/notes.txt',
        '1 file or folder is not taken, not in <gloss>/<sequence>/: no/5.npy',
    ]


def test_tree_protocol(tmp_path):
    tree(tmp_path / 't', 126, frames=(0,), glosses=('a',), sequences=map(str, range(10)))
    assert (
        MPTreeClips(str(tmp_path / 't'), protocol='words33').split.tolist()
        == ['train'] * 5 + ['val'] + ['test'] * 4
    )
    os.makedirs(tmp_path / 't' / 'a' / 'extra')
    with pytest.raises(ValueError, match=r"sequences named \['extra'\]"):
        MPTreeClips(str(tmp_path / 't'), protocol='words33')


def test_tree_equals_npz(shared, root, monkeypatch, tmp_path):
    """The shared tree holds 12 clips of the shared words33 file, which keeps float16 fractions: 640 x 2^-12
    px apart at most.
    """
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


def test_npz_names_are_cleaned(tmp_path):
    classes = np.asarray(['cafe\u0301', 'hello '])
    fields = more_fields(classes=classes, split=np.asarray(['Train', 'train', 'TEST ', 'dev']))
    clips = read_npz(tmp_path, fields, protocol='recorded')
    assert clips.glosses == ['caf\u00e9', 'hello'] and next(iter(clips)).video_id == 'f/caf\u00e9/10'
    assert [clip.split for clip in clips] == ['train', 'train', 'test', 'dev']
    wrong = more_fields(split=np.asarray(['Dev', 'train', 'test', 'dev']))
    with pytest.raises(ValueError, match="f.npz: field split: splits 'Dev' and 'dev' differ in"):
        read_npz(tmp_path, wrong, protocol='recorded')


def test_npz_fields_in_other_kinds(tmp_path):
    fields = more_fields(
        classes=np.asarray(['caf\u00e9'.encode(), b'yes']),
        label=np.asarray([0.0, 0, 1, 1]),
        length=np.asarray([5.0, 3, 5, 1]),
        session=np.asarray([0.0, 0, 1, 1]),
        signer=np.asarray(['anna', 'anna ', '', 'ben']),
        seq_id=np.asarray([3, 2, 1, 0]),
    )
    clips = list(read_npz(tmp_path, fields, protocol='sessions'))
    assert [clip.video_id for clip in clips] == ['f/caf\u00e9/3', 'f/caf\u00e9/2', 'f/yes/1', 'f/yes/0']
    assert [(len(clip.keypoints), clip.split) for clip in clips[1:3]] == [(3, 'session0'), (5, 'session1')]
    assert [clip.signer for clip in clips] == ['anna', 'anna', '', 'ben']


@pytest.mark.parametrize(
    'field, values, message',
    [
        ('label', ['no', 'no', 'yes', 'yes'], ' is <U3; numbers expected'),
        ('label', [0, 0, 1, np.nan], ': entry 3 is nan; whole numbers expected'),
        ('length', [5, 2.7, 5, 1], ': entry 1 is 2.7; whole numbers expected'),
        ('signer', [True] * 4, ' is bool; numbers expected'),
        ('twin', [True] * 4, ' is bool; numbers expected'),
        ('twin', [np.nan, 0, 0, np.nan], ': entry 0 is nan; whole numbers expected'),
        ('classes', [b'caf\xe9', b'yes'], ': bytes that are not UTF-8'),
        ('hands', np.full((4, 5, 2, 21, 2), 'x'), ' is <U1; numbers expected'),
    ],
)
def test_npz_fields_of_a_wrong_kind(tmp_path, field, values, message):
    fields = more_fields(**{field: np.asarray(values)})
    with pytest.raises(ValueError, match=f'f.npz: field {field}{message}'):
        read_npz(tmp_path, fields, protocol='sessions')


@pytest.mark.parametrize('name', ['v1', '\u00b2', '9' * 20])
def test_sequences_without_numbers(tmp_path, name):
    fields = more_fields(seq_id=np.asarray(['1', name, '2', '3']))
    assert len(read_npz(tmp_path, fields)) == 4
    with pytest.raises(ValueError, match=rf"f.npz: field seq_id: the words33 .* named \['{name}'\]"):
        read_npz(tmp_path, fields, protocol='words33')
