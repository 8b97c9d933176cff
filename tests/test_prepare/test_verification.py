"""A sound store is said to be so; each planted fault is found, named and graded."""

import json
import re
import runpy
import sys

import numpy as np
import pytest
from verification_stores import LAYOUT, LENGTHS, alter, found, signer, write

from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.prepare.sources import ClipRecord, SourceIndex, convert
from signbert_mm.prepare.verification import official_counts, verify_store
from signbert_mm.prepare.verification.report import Problem, StoreReport
from signbert_mm.prepare.verification.scan import _pieces, scan_keypoints


def test_a_sound_store(tmp_path):
    report = verify_store(write(tmp_path / 's').folder)
    assert report.ok and report.problems == [] and 'no problems found' in report.text()
    train = report.splits['train']
    assert (
        train['clips'],
        train['listed'],
        train['official'],
        train['glosses'],
        train['signers'],
        train['frames'],
    ) == (4, 4, None, 2, 2, 31)
    assert (
        train['length'] == dict(min=4, q25=5.5, median=7.5, q75=9.75, max=12)
        and report.splits['all']['frames'] == 61
    )
    assert train['hands'] == dict(any=1, left=1, right=1, both=1) and train['clips_without_hand'] == 0
    assert (
        sum(report.lengths['counts']['test']) == 4
        and report.lengths['edges'][0] == 4
        and report.lengths['edges'][-1] == 13
    )
    assert report.classes[1] == dict(label=1, gloss='drink', clips=dict(train=2, test=2))
    assert json.loads(json.dumps(report.to_dict()))['ok'] and report.facts['joints_found'] == '100.0 %'
    int16 = verify_store(write(tmp_path / 'i', dtype='int16').folder)
    assert int16.problems == [] and int16.facts['dtype'] == 'int16'


def test_a_hand_whose_side_nobody_tells(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'hand_21', ['a']) as writer:
        for clip in range(3):
            values = np.random.RandomState(clip).uniform(10, 90, (4, 21, 3)).astype(np.float32)
            values[..., 2] = 1
            values[:clip] = 0
            writer.add(values, 0, 'train', f'{clip}', width=100, height=100, fps=25)
    report = verify_store(str(tmp_path / 's'))
    assert (
        report.splits['train']['hands'] == dict(any=0.75)
        and report.splits['train']['clips_without_hand'] == 0
    )
    (head,) = [line for line in report.text().splitlines() if line.startswith('hands found')]
    assert head.split()[5:] == ['any', 'clips', 'without', 'any']


def test_pieces_do_not_change_the_result(tmp_path):
    def plant(clip, values):
        values[:, :21] *= clip != 5
        return values

    store = write(tmp_path / 's', plant)
    assert list(_pieces(store.length, 10)) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8)]
    assert list(_pieces(store.length, 13)) == [(0, 2), (2, 3), (3, 4), (4, 6), (6, 7), (7, 8)]
    assert list(_pieces(store.length, 1)) == [(clip, clip + 1) for clip in range(8)] and list(
        _pieces(store.length, 999)
    ) == [(0, 8)]
    seen = []
    whole, parts = scan_keypoints(store), scan_keypoints(store, lambda *done: seen.append(done), 13 * 49 * 3)
    assert seen == [(2, 8), (3, 8), (4, 8), (6, 8), (7, 8), (8, 8)]
    for name, values in whole.counts.items():
        np.testing.assert_array_equal(values, parts.counts[name])
    assert (
        whole.checksum == parts.checksum == store.meta['files']['keypoints.npy']['blake2b']
        and whole.digests == parts.digests
    )
    assert (
        whole.counts['found'][5] == 7 * 28
        and whole.counts['crossed_votes'][5] == 7
        and whole.counts['crossed_votes'][0] == 8
    )


def still(clip, values):
    values[:] = values[:1]
    return values


def shifted(clip, values):
    values[..., 0] += 500
    return values


def swapped(clip, values):
    return np.concatenate([values[:, 21:42], values[:, :21], values[:, 42:]], axis=1)


def mirrored(clip, values):
    values[..., 0] = 640 - values[..., 0]
    return values


def no_hands(clip, values):
    values[:, :42] = 0
    return values


def nothing(clip, values):
    return np.zeros_like(values)


def single(clip, values):
    return values[:1]


WRITTEN = dict(
    frozen=(still, 'warning', 'all frames equal'),
    out_of_image=(shifted, 'warning', 'more than 20% of the found hand joints outside the image'),
    swapped_hands=(swapped, 'warning', 'the hand called left is mostly at the right wrist'),
    no_hand=(no_hands, 'warning', r'1 clip without any hand in any frame \(12.5%\)'),
    no_pose=(nothing, 'warning', 'without a single joint'),
    single_frame=(single, 'warning', 'of a single frame'),
)


def test_fractions_in_a_store_of_an_older_version(tmp_path):
    """Today's writer refuses such a clip."""
    store = write(tmp_path / 's')
    first, length = int(store.offset[5]), int(store.length[5])

    def fractions(rows):
        rows[first : first + length, :, :2] /= 640

    alter(store, rows=fractions)
    problem = found(verify_store(store.folder), 'not_pixels')
    assert problem.severity == 'error' and 'fractions of the image, not pixels' in problem.message
    assert problem.count == 1 and problem.examples == ['v5 [test]']


@pytest.mark.parametrize('kind', WRITTEN)
def test_faults_of_one_clip(tmp_path, kind):
    """The fault is in clip 5, and only that clip is named."""
    plant, severity, message = WRITTEN[kind]
    report = verify_store(
        write(tmp_path / 's', lambda clip, values: plant(clip, values) if clip == 5 else values).folder
    )
    problem = found(report, kind)
    assert (
        problem.severity == severity
        and re.search(message, problem.message)
        and problem.count == 1
        and problem.examples == ['v5 [test]']
    )
    assert report.ok == (severity != 'error') and problem.message in report.text()
    assert set(report.kinds()) <= {kind, 'no_hand'}


@pytest.mark.parametrize(
    'kind, plant, severity',
    [
        ('swapped_hands', swapped, 'error'),
        ('out_of_image', shifted, 'error'),
        ('mirrored', mirrored, 'warning'),
    ],
)
def test_faults_of_all_clips(tmp_path, kind, plant, severity):
    problem = found(verify_store(write(tmp_path / 's', plant).folder), kind)
    assert problem.severity == severity and problem.count == 8 and len(problem.examples) == 5


def test_legs_that_are_guessed_below_the_image_are_no_fault(tmp_path):
    def legs(clip, values):
        values[:, 42:, 1] += 600
        return values

    report = verify_store(write(tmp_path / 's', legs).folder)
    assert (
        'out_of_image' not in report.kinds()
        and report.facts['joints_outside_the_image'] == '14.29 % of those found'
    )


def test_mirrored_hands_without_a_body(tmp_path):
    for name, way in (('a', 1), ('b', -1)):
        with PoseStoreWriter(tmp_path / name, 'hands_42', ['book'], extractor='x') as writer:
            for clip in range(3):
                values = signer(5, clip)[:, :42]
                values[..., 0] = values[..., 0] if way > 0 else 640 - values[..., 0]
                writer.add(values, 0, 'train', f'v{clip}', width=640, height=480, fps=25)
        kinds = verify_store(tmp_path / name).kinds()
        assert kinds == ([] if way > 0 else ['mirrored'])


def set_number(clip, axis, value):
    def change(data):
        data[sum(LENGTHS[:clip]) + 1, 30, axis] = value

    return change


def repeat_id(table):
    table['video_id'][2] = table['video_id'][1]


def set_column(name, value):
    def change(table):
        table[name][3] = value

    return change


CHANGED = dict(
    nan=(
        'not_finite',
        dict(rows=set_number(3, 0, np.nan)),
        'error',
        r"clip 3 \(video_id 'v3'\), frame 1, "
        r'joint 30 \(right_middle_finger1\): '
        r'.*nan',
    ),
    infinite=('not_finite', dict(rows=set_number(3, 1, np.inf)), 'error', 'NaN or infinite'),
    score=('score_range', dict(rows=set_number(3, 2, 1.5)), 'error', r'scores outside \[0, 1\]'),
    negative_score=('score_range', dict(rows=set_number(3, 2, -1)), 'error', r'scores outside'),
    not_zero=('missing_not_zero', dict(rows=set_number(3, 2, 0)), 'error', 'score 0 that have coordinates'),
    flags=(
        'hand_flags',
        dict(columns=lambda table: table['hands'].__setitem__(20, 1)),
        'error',
        'contradict the scores',
    ),
    checksum=(
        'checksum',
        dict(rows=set_number(3, 0, 300), checksum=False),
        'error',
        r'keypoints\.npy: the checksum differs',
    ),
    width=('image_size', dict(columns=set_column('width', 0)), 'error', 'image size of 0'),
    height=('image_size', dict(columns=set_column('height', 0)), 'error', 'image size of 0'),
    fps=('fps', dict(columns=set_column('fps', -1)), 'error', 'negative or no number'),
    fps_unknown=('fps_unknown', dict(columns=set_column('fps', 0)), 'warning', 'means unknown'),
    twice=('repeated_ids', dict(columns=repeat_id), 'error', 'twice in one split'),
    present=(
        'coverage',
        dict(meta=lambda about: about['coverage']['test'].update(present=3)),
        'error',
        '3 clips of test are there, 4 are',
    ),
)


@pytest.mark.parametrize('fault', CHANGED)
def test_faults_of_files_that_were_changed(tmp_path, fault):
    kind, changes, severity, message = CHANGED[fault]
    store = write(tmp_path / 's')
    alter(store, **changes)
    report = verify_store(store.folder)
    problem = found(report, kind)
    assert problem.severity == severity and re.search(message, problem.message), problem
    assert report.kinds() == [kind] and report.ok == (severity == 'warning')


def test_stores_of_the_older_hand_rule(tmp_path):
    """Their bits stay, and are checked by that rule; what the crop's rule would change is said."""

    def faint(clip, values):
        values[2:4, :42, 2] = 0.05
        return values

    new, old = write(tmp_path / 'new', faint), write(tmp_path / 'old', faint, hand_rule='any')
    assert not verify_store(new.folder).kinds() and not new.hands_found[2:4].any() and old.hands_found.all()
    problem = found(verify_store(old.folder), 'hand_rule')
    assert (
        problem.severity == 'note'
        and problem.count == 8
        and '8 clips with frames (16 of 61)' in problem.message
    )
    alter(old, meta=lambda about: about.pop('hand_rule'))
    problem = found(verify_store(old.folder), 'hand_rule')
    assert problem.severity == 'warning' and 'PREPARE THE STORE AGAIN' in problem.message
    alter(new, meta=lambda about: about.pop('hand_rule'))
    assert verify_store(new.folder).kinds() == ['hand_flags']


def test_torn(tmp_path):
    store = write(tmp_path / 's')
    with open(f'{store.folder}/keypoints.npy', 'r+b') as file:
        file.truncate(1000)
    report = verify_store(store.folder)
    assert report.kinds() == ['torn'] and '1000 found: truncated' in report.text() and not report.ok
    (tmp_path / 'empty').mkdir()
    assert verify_store(tmp_path / 'empty').kinds('error') == ['torn']
    with pytest.raises(FileNotFoundError, match='no such folder; give the folder of a store'):
        verify_store(tmp_path / 'absent')


def test_copies(tmp_path):
    first = signer(LENGTHS[0], 0)

    def copies(*clips):
        return lambda clip, values: first.copy() if clip in clips else values

    inside = verify_store(write(tmp_path / 'a', copies(0, 2)).folder)
    assert inside.kinds() == ['copies'] and found(inside, 'copies').examples == ['v0 [train] = v2 [train]']
    across = verify_store(write(tmp_path / 'b', copies(0, 5)).folder)
    problem = found(across, 'copies_across_splits')
    assert (
        across.kinds() == [problem.kind]
        and problem.examples == ['v0 [train] = v5 [test]']
        and '1 of all copies have another label' in problem.message
    )
    # no copies of nothing
    assert verify_store(write(tmp_path / 'c', lambda clip, values: values * 0).folder).kinds() == [
        'no_pose',
        'no_hand',
    ]
    names = [f'v{clip % 4}' for clip in range(8)]
    assert found(verify_store(write(tmp_path / 'd', names=names).folder), 'ids_across_splits').count == 4


def test_counts(tmp_path):
    store = write(
        tmp_path / 's',
        coverage=dict(train=dict(per_class=[3, 2]), test=5, val=2),
        official=dict(train=6, val=2, test=5),
    )
    (tmp_path / 's' / 'missing.txt').write_text(
        '# split\tvideo_id\tgloss\treason\ntrain\tx\tbook\tno poses\ntest\ty\tbook\tno poses\n'
    )
    report = verify_store(store.folder)
    assert report.kinds() == ['missing_clips'] * 3 + ['missing_txt', 'fewer_listed'] and report.ok
    assert (
        'train: 1 of 5 listed clips are missing (20.0 %)' in report.text()
        and 'val: 2 of 2 listed' in report.text()
    )
    assert 'missing.txt has 2 lines, but 4 clips are missing' in report.text()
    assert (
        report.splits['val']['clips'] == 0
        and report.splits['all']['listed'] == 12
        and report.splits['all']['official'] == 13
    )
    assert report.classes[0]['listed'] == dict(train=3)
    with open(tmp_path / 's' / 'missing.txt', 'a') as file:
        file.write('val\tz1\tbook\t-\nval\tz2\tbook\t-\n')
    assert 'missing_txt' not in verify_store(store.folder).kinds()
    report = verify_store(store.folder, dict(train=4, test=3))
    assert found(report, 'unknown_splits').severity == 'warning' and not report.ok
    assert [
        problem.message.split(':')[0] for problem in report.problems if problem.kind == 'too_many_clips'
    ] == ['train', 'test']
    alter(store, meta=lambda about: about['coverage']['train'].update(per_class=[1, 4]))
    assert found(verify_store(store.folder), 'wrong_labels').examples == ["'book' 2 for 1"]
    with PoseStoreWriter(tmp_path / 'bare', LAYOUT, ['book'], extractor='x') as writer:
        writer.add(signer(4, 0), 0, 'train', 'v', width=640, height=480, fps=25)
    assert found(verify_store(tmp_path / 'bare', dict(train=4)), 'missing_clips').message.startswith(
        'train: 3 of 4 published clips are missing (75.0 %)'
    )


@pytest.mark.parametrize(
    'severities, said',
    [
        (['warning'], '0 errors, 1 warning'),
        (['error', 'note'], '1 error, 0 warnings'),
        (['warning'] * 2 + ['error'] * 2, '2 errors, 2 warnings'),
    ],
)
def test_last_line_counts(severities, said):
    report = StoreReport('s', problems=[Problem(severity, 'kind', 'message') for severity in severities])
    assert report.text().splitlines()[-1] == said


def test_official_counts(tmp_path):
    assert official_counts('SLR500') == dict(train=90000, test=35000)
    assert sum(official_counts('WLASL100').values()) < sum(official_counts('wlasl2000').values())
    with pytest.raises(ValueError, match="'wlasl3000' are not known; known: .*wlasl2000"):
        official_counts('wlasl3000')
    (tmp_path / 'a.json').write_text('{"train": 4}')
    assert official_counts(str(tmp_path / 'a.json')) == dict(train=4)
    for text, message in (('{', 'not JSON'), ('{"train": "four"}', 'official is')):
        (tmp_path / 'a.json').write_text(text)
        with pytest.raises(ValueError, match=message):
            official_counts(str(tmp_path / 'a.json'))
    with pytest.raises(FileNotFoundError, match='no such file'):
        official_counts(str(tmp_path / 'b.json'))


def test_classes_signers_extractors(tmp_path):
    with PoseStoreWriter(
        tmp_path / 's', LAYOUT, ['book', 'drink', 'eat', 'go'], notes=dict(dataset='slr500')
    ) as writer:
        for clip, (label, split) in enumerate(
            [(0, 'train'), (1, 'train'), (0, 'test'), (2, 'test'), (-1, 'test')]
        ):
            writer.add(
                signer(5, clip),
                label,
                split,
                f'v{clip}',
                's1' if clip < 3 else 's2',
                width=640,
                height=480,
                fps=25,
            )
    report = verify_store(tmp_path / 's')
    assert found(report, 'class_without_clips').examples == ['go'] and found(
        report, 'class_without_training'
    ).examples == ['eat']
    assert (
        found(report, 'class_without_test').examples == ['drink']
        and found(report, 'unlabelled').severity == 'note'
    )
    shared = found(report, 'shared_signers')
    assert (
        shared.severity == 'error'
        and shared.examples == ['s1']
        and '1 of 2 signers of test are in train too; the official splits share none' in shared.message
    )
    assert found(verify_store(tmp_path / 's', signer_independent=False), 'shared_signers').severity == 'note'
    assert found(report, 'unknown_extractor').severity == 'warning'
    mixed = write(tmp_path / 'm', notes=dict(extractors=['rtmlib 0.0.13', 'mediapipe 0.10.14']))
    assert verify_store(mixed.folder).kinds() == ['mixed_extractors']
    (tmp_path / '.m.partial-77').mkdir()
    assert verify_store(mixed.folder).kinds() == ['mixed_extractors', 'leftover']
    with PoseStoreWriter(tmp_path / 'n', LAYOUT, ['book'], extractor='x') as writer:
        writer.add(signer(5, 1), 0, 'train', 'v', width=640, height=480, fps=25)
    assert verify_store(tmp_path / 'n', signer_independent=True).kinds() == ['unknown_signers']
    assert verify_store(tmp_path / 'n', signer_independent=False).kinds() == []
    with PoseStoreWriter(tmp_path / 'two', LAYOUT, ['book'], extractor='x') as writer:
        for seed, split in enumerate(('train', 'test')):
            writer.add(signer(5, seed), 0, split, split, width=640, height=480, fps=25)
    unknown = found(verify_store(tmp_path / 'two', signer_independent=False), 'unknown_signers')
    assert unknown.severity == 'note' and 'one signer may be in several splits' in unknown.message
    assert '--signer REGEX' in unknown.message


def test_a_conversion_that_did_not_find_all(tmp_path):
    """From the data sources: the store says by itself what it lacks."""
    (tmp_path / 'poses').mkdir()
    for seed, name in enumerate(('a', 'b')):
        np.savez(
            tmp_path / 'poses' / f'{name}.npz', keypoints=signer(6, seed), width=640, height=480, fps=25.0
        )
    records = [
        ClipRecord(name, label, split, signer='s')
        for name, label, split in (('a', 0, 'train'), ('b', 1, 'train'), ('c', 0, 'test'))
    ]
    index = SourceIndex(
        'tiny', ['book', 'drink'], records, official=dict(train=2, test=1), paper=dict(total=4)
    )
    convert(index, str(tmp_path / 's'), str(tmp_path / 'poses'))
    report = verify_store(tmp_path / 's')
    assert report.kinds() == ['missing_clips', 'unknown_extractor'] and report.ok
    assert found(report, 'missing_clips').message == (
        'test: 1 of 1 listed clips are missing (100.0 %); missing.txt names them'
    )
    assert report.facts['clips_by_the_paper'] == ['total 4'] and report.splits['all']['listed'] == 3


@pytest.fixture
def tool(root, monkeypatch, tmp_path):
    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', ['verify_dataset.py', *map(str, arguments)])
        try:
            runpy.run_path(str(root / 'tools' / 'misc' / 'verify_dataset.py'), run_name='__main__')
        except SystemExit as end:
            return end.code
        return 0

    return run


def test_tool(tool, tmp_path, capsys):
    store = write(tmp_path / 's')
    (tmp_path / 'o.json').write_text('{"train": 5, "test": 4}')
    assert (
        tool('s', '--official', 'o.json', '--out', 'out/r.json', '--figure', 'out/f.png', '--per-class') == 0
    )
    said = capsys.readouterr().out
    assert (
        'train      4       4         5' in said
        and 'NOTE fewer_listed' in said
        and 'figure in out/f.png' in said
    )
    assert (tmp_path / 'out' / 'f.png').stat().st_size > 5000 and json.loads(
        (tmp_path / 'out' / 'r.json').read_text()
    )['splits']['train']['official'] == 5
    alter(store, rows=set_number(0, 0, np.nan))
    assert tool('s') == 1 and 'ERROR not_finite' in capsys.readouterr().out
    assert 'no such folder' in tool('absent') and 'not known' in tool('s', '--official', 'nothing')
