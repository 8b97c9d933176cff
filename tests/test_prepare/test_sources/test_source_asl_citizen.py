import pytest
from source_fixtures import write_poses, write_text

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources.asl_citizen import OFFICIAL, asl_citizen_index

HEADER = 'Participant ID,Video file,Gloss,ASL-LEX Code\n'
LISTS = dict(
    train='P6,15890366051589533-APPLE.mp4,APPLE,C_01_066\nP6,4.729912950-THINKCHIN.mp4,THINKCHIN '
    ',D_02_034\nP9,42-seedAPPLE.mp4,APPLE,C_01_066\n',
    val='P24,7-THINKCHIN.mp4,THINKCHIN,D_02_034\n',
    test='P35,9-APPLE.mp4,APPLE,C_01_066\n',
)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / 'ASL_Citizen'
    for split, lines in LISTS.items():
        write_text(root / 'splits' / f'{split}.csv', HEADER + lines)
    return root


def test_index(folder):
    found = asl_citizen_index(str(folder))
    assert found.glosses == ['APPLE', 'THINKCHIN'] and found.counts() == dict(train=3, val=1, test=1)
    assert [(record.video_id, record.label, record.signer) for record in found.records[:2]] == [
        ('15890366051589533-APPLE', 0, 'P6'),
        ('4.729912950-THINKCHIN', 1, 'P6'),
    ]
    assert (
        asl_citizen_index(str(folder), ['test']).glosses == found.glosses and sum(OFFICIAL.values()) == 83399
    )


def test_converter(folder, run_converter, tmp_path):
    write_poses(folder / 'poses', {'4.729912950-THINKCHIN': 4, '9-APPLE': 3})
    run_converter(
        'asl_citizen_to_store.py',
        folder,
        tmp_path / 's',
        '--poses',
        folder / 'poses',
        '--poses-extractor',
        'mediapipe 0.10.14',
    )
    store = PoseStore(tmp_path / 's')
    assert store.video_id.tolist() == ['4.729912950-THINKCHIN', '9-APPLE'] and store.label.tolist() == [1, 0]
    assert (
        store.split.tolist() == ['train', 'test']
        and store.signer.tolist() == ['P6', 'P35']
        and store.meta['extractor'] == 'mediapipe 0.10.14'
    )
    assert {split: (row['expected'], row['present']) for split, row in store.coverage.items()} == dict(
        train=(3, 1), val=(1, 0), test=(1, 1)
    )


@pytest.mark.parametrize(
    'split, text, message',
    [
        ('val', HEADER + 'P24,7-THINKCHIN.mp4\n', r'val.csv: line 2: .*expected 4 fields'),
        ('val', HEADER + 'P24,7-PEAR.mp4,PEAR,X\n', r"val.csv line 2: gloss 'PEAR' is not in .*train.csv"),
        (
            'val',
            HEADER + 'P24,9-APPLE.mp4,APPLE,X\n',
            r"'9-APPLE' is listed twice: val.csv line 2 \(val\) "
            r'and test.csv line 2 \(test\)',
        ),
        ('train', LISTS['train'], 'line 1: columns .*absent'),
    ],
)
def test_bad_lists(folder, split, text, message):
    write_text(folder / 'splits' / f'{split}.csv', text)
    with pytest.raises(ValueError, match=message):
        asl_citizen_index(str(folder))


def test_absent_list(folder):
    (folder / 'splits' / 'val.csv').unlink()
    with pytest.raises(FileNotFoundError, match='the list of val clips is absent; looked for val.csv'):
        asl_citizen_index(str(folder))
