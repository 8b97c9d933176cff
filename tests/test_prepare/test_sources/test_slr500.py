import numpy as np
import pytest

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources.slr500 import OFFICIAL, find_suffix, parse_name, slr500_index, video_name

WORDS = 22  # more than a row of 20
SIGNERS = dict(train=[1, 2], test=[37])


def make_dictionary(folder, words=WORDS):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'dictionary.txt').write_text(
        ''.join(f'{label:06d}\t词{label}\n' for label in range(words)), encoding='utf-8'
    )


def index(folder, **options):
    return slr500_index(str(folder), **{**dict(signers=SIGNERS, repetitions=2, num_classes=WORDS), **options})


def test_names_by_hand():
    assert video_name(1, 499, 2) == 'P01_25_19_2' and parse_name('P01_25_19_2') == (1, 499, 2)
    assert video_name(50, 0, 4) == 'P50_01_00_4' and parse_name('P01_03_11_0') == (1, 51, 0)
    assert find_suffix(['readme', '000/P01_01_00_0._color']) == '._color'
    assert find_suffix(['000000/P01_01_00_0_color']) == '_color' and find_suffix(['P01_01_00_0']) == ''
    with pytest.raises(ValueError, match='--suffix'):
        find_suffix(['a', 'b'])


def test_official_counts(tmp_path):
    make_dictionary(tmp_path, 500)
    found = slr500_index(str(tmp_path))
    assert found.counts() == OFFICIAL == dict(train=90000, test=35000) and found.deviations() == []
    signers = {
        split: {record.signer for record in found.records if record.split == split} for split in OFFICIAL
    }
    assert (
        len(signers['train']) == 36 and len(signers['test']) == 14 and not signers['train'] & signers['test']
    )
    last = found.records[-1]
    assert (last.video_id, last.video, last.label, last.signer, last.split) == (
        'P50_25_19_4',
        'P50_25_19_4_color',
        499,
        'P50',
        'test',
    )


@pytest.mark.parametrize(
    'folder, suffix', [('color/{:03d}', '._color'), ('color/{:06d}', '_color'), ('{:03d}', '')]
)
def test_tool(tmp_path, run_converter, folder, suffix):
    make_dictionary(tmp_path / 'raw')
    for signer in (1, 2, 37):
        for label in range(WORDS):
            for repetition in range(2):
                path = (
                    tmp_path
                    / 'poses'
                    / folder.format(label)
                    / f'{video_name(signer, label, repetition)}{suffix}.npz'
                )
                path.parent.mkdir(parents=True, exist_ok=True)
                if (signer, label, repetition) != (2, 21, 1):
                    np.savez(path, keypoints=np.full((2, 133, 3), [10 + label, signer, 1], dtype=np.float32))
    (tmp_path / 'poses' / folder.format(20) / f'P37_02_00_0{suffix}.npz').write_bytes(b'PK broken')
    options = ['--train-signers', '1-2', '--test-signers', '37', '--repetitions', 2, '--num-classes', WORDS]
    run_converter('slr500_to_store.py', 'raw', 'data/slr500', '--poses', 'poses', *options)
    store = PoseStore('data/slr500')
    assert store.split_counts() == dict(train=87, test=43) and store.glosses[21] == '词21'
    assert [line.split('\t')[:3] for line in store.missing] == [
        ['train', 'P02_02_01_1', '词21'],
        ['test', 'P37_02_00_0', '词20'],
    ]
    assert store.coverage['train']['expected'] == 88 and store.coverage['train']['per_class'] == [4] * WORDS
    place = store.video_id.tolist().index('P37_02_01_1')
    assert (store.label[place], store.signer[place], store.width[place]) == (21, 'P37', 1280)
    assert store.clip(place)[0][0, 0].tolist() == [31, 37]


def test_the_owners_lists_come_first(tmp_path):
    make_dictionary(tmp_path)
    (tmp_path / 'traintestlist').mkdir()
    (tmp_path / 'traintestlist' / 'trainlist01.txt').write_text(
        '000/P05_01_00_3._color.avi\n021/P05_02_01_0._color.avi\n'
    )
    (tmp_path / 'traintestlist' / 'testlist01.txt').write_text('021/P06_02_01_0_color.avi\n')
    found = index(tmp_path, suffix='._color')
    assert [(record.video_id, record.video, record.label, record.split) for record in found.records] == [
        ('P05_01_00_3', 'P05_01_00_3._color', 0, 'train'),
        ('P05_02_01_0', 'P05_02_01_0._color', 21, 'train'),
        ('P06_02_01_0', 'P06_02_01_0._color', 21, 'test'),
    ]
    assert index(tmp_path, splits=['test']).counts() == dict(test=1)
    bad = [
        ('020/P05_02_01_0.avi', 'line 1: by its name P05_02_01_0 shows word 21, but its folder is 20'),
        ('021/second.avi', "line 1: 'second' is not a name such as"),
        ('021/P06_02_01_1.avi', "signers .'P06'. are in both lists"),
        ('021/P05_02_01_0.avi\n021/P05_02_01_0_color.avi', 'listed twice: .*line 1 .*line 2'),
    ]
    for text, message in bad:
        (tmp_path / 'traintestlist' / 'trainlist01.txt').write_text(text + '\n')
        with pytest.raises(ValueError, match=message):
            index(tmp_path)
    (tmp_path / 'traintestlist' / 'testlist01.txt').unlink()
    with pytest.raises(FileNotFoundError, match='list of test videos is absent'):
        index(tmp_path)
    (tmp_path / 'traintestlist' / 'trainlist01.txt').rename(tmp_path / 'testlist01.txt')
    with pytest.raises(FileNotFoundError, match='testlist01.txt found alone'):
        index(tmp_path)


def test_bad_dictionaries(tmp_path):
    with pytest.raises(FileNotFoundError, match='dictionary.txt'):
        index(tmp_path)
    make_dictionary(tmp_path)
    path = tmp_path / 'dictionary.txt'
    lines = path.read_text(encoding='utf-8').splitlines()
    for changed, message in (
        (lines[:3] + ['000003 word'] + lines[4:], "line 4: '000003 word'; expected a number, a tab"),
        (lines[:3] + lines[4:], 'line 4: word 4 found where 3 was expected'),
        (lines[:3] + lines[2:], 'line 4: word 2 found where 3 was expected'),
        (lines[:-1], '21 words; expected 22'),
    ):
        path.write_text('\n'.join(changed), encoding='utf-8')
        with pytest.raises(ValueError, match=message):
            index(tmp_path)
    path.write_text('\n'.join(lines[:-1] + ['000021\t词0']), encoding='gb18030')
    with pytest.raises(ValueError, match='--encoding gb18030'):
        index(tmp_path)
    found = index(tmp_path, encoding='gb18030')
    assert found.glosses[0] == '词0' and found.glosses[21] == '词0 (000021)'
    with pytest.raises(ValueError, match=r'signers \[2\] are in more than one split'):
        index(tmp_path, encoding='gb18030', signers=dict(train=[1, 2], test=[2]))
    with pytest.raises(ValueError, match='suffix'):
        index(tmp_path, encoding='gb18030', suffix='-c')


def test_videos_as_they_are_downloaded(tmp_path):
    """Videos are found by the owners' names, and one that cannot be read is missing; the poses come from a
    stand-in for an extractor.
    """
    pytest.importorskip('av', reason='videos are read with PyAV')
    import cv2

    from signbert_mm.extraction.pose_extractor import PoseExtractor
    from signbert_mm.prepare.sources import convert

    class Brightness(PoseExtractor):
        name, version = 'brightness', '1'

        def predict(self, items):
            return np.stack([np.full((133, 3), [item.mean(), 2, 1], dtype=np.float32) for item in items])

    make_dictionary(tmp_path / 'raw')
    for number, name in enumerate(('P01_01_00_0', 'P37_02_01_0')):
        path = tmp_path / 'raw' / 'color' / f'{parse_name(name)[1]:03d}' / f'{name}._color.avi'
        path.parent.mkdir(parents=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25, (64, 48))
        for _ in range(3 + number):
            writer.write(np.full((48, 64, 3), 60 + 90 * number, dtype=np.uint8))
        writer.release()
    (path.parent / 'P37_02_01_1._color.avi').write_bytes(b'RIFF broken')
    listed = index(tmp_path / 'raw', suffix='._color')
    store = convert(
        listed, str(tmp_path / 'out'), videos=str(tmp_path / 'raw' / 'color'), extractor=Brightness()
    )
    assert (
        store.video_id.tolist() == ['P01_01_00_0', 'P37_02_01_0']
        and store.length.tolist() == [3, 4]
        and store.label.tolist() == [0, 21]
    )
    assert store.width.tolist() == [64, 64] and abs(store.clip(1)[0][0, 0, 0] - 150) < 5
    reasons = {line.split('\t')[1]: line.split('\t')[3] for line in store.missing}
    assert len(reasons) == len(listed) - 2 and reasons['P01_01_00_1'] != reasons['P37_02_01_1']
