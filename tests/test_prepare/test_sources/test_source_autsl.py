import pytest
from source_fixtures import write_poses, write_text

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources.autsl import OFFICIAL, autsl_index

CLASSES = 'ClassId,TR,EN\n0,abla,sister\n1,acele,hurry\n2,acikmak,hungry\n3,ac,hungry\n'
LISTS = dict(
    train='signer0_sample1,0\nsigner0_sample2,3\nsigner12_sample7,1\n',
    validation='signer1_sample5,2\n',
    test='signer6_sample114,1\n',
)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / 'AUTSL'
    write_text(root / 'SignList_ClassId_TR_EN.csv', CLASSES)
    for split, lines in LISTS.items():
        write_text(root / f'{split}_labels.csv', lines)
    return root


def test_index(folder):
    found = autsl_index(str(folder))
    assert found.glosses == ['sister', 'hurry', 'hungry (acikmak)', 'hungry (ac)'] and found.counts() == dict(
        train=3, val=1, test=1
    )
    last = found.records[2]
    assert (last.video_id, last.video, last.label, last.signer, last.where) == (
        'signer12_sample7',
        'signer12_sample7_color',
        1,
        '12',
        'train_labels.csv line 3',
    )
    assert sum(OFFICIAL.values()) == 36302
    (folder / 'validation_labels.csv').rename(folder / 'val_labels.csv')
    write_text(folder / 'test_labels.csv', 'sampleName,label\nsigner6_sample114,1\n')
    assert [record.where for record in autsl_index(str(folder), ['val', 'test']).records] == [
        'val_labels.csv line 1',
        'test_labels.csv line 2',
    ]


def test_converter(folder, run_converter, tmp_path):
    write_poses(
        folder / 'poses',
        {'train/signer0_sample1_color': 4, 'train/signer0_sample1_depth': 4, 'test/signer6_sample114': 3},
    )
    run_converter('autsl_to_store.py', folder, tmp_path / 's', '--poses', folder / 'poses')
    store = PoseStore(tmp_path / 's')
    assert store.video_id.tolist() == ['signer0_sample1', 'signer6_sample114'] and store.length.tolist() == [
        4,
        3,
    ]
    assert store.signer.tolist() == ['0', '6'] and store.split.tolist() == ['train', 'test']
    assert [line.split('\t')[1] for line in store.missing] == [
        'signer0_sample2',
        'signer12_sample7',
        'signer1_sample5',
    ]


@pytest.mark.parametrize(
    'file, text, message',
    [
        (
            'train_labels.csv',
            'signer0_sample1,0\nsigner0_sample2\n',
            r'train_labels.csv: line 2: .*expected '
            r'2 fields',
        ),
        (
            'train_labels.csv',
            'signer0_sample1,0\nsigner0_sample2,x\n',
            r'train_labels.csv line 2: label is '
            r"'x'",
        ),
        (
            'train_labels.csv',
            'sample1,0\n',
            "line 1: 'sample1' found; expected signer<number>_sample<number>",
        ),
        ('train_labels.csv', 'signer0_sample1,4\n', r'label 4, outside 0 .. 3'),
        (
            'train_labels.csv',
            'signer1_sample5,0\n',
            r'listed twice: train_labels.csv line 1 \(train\) and '
            r'validation_labels.csv line 1 \(val\)',
        ),
        (
            'SignList_ClassId_TR_EN.csv',
            'ClassId,TR,EN\n0,abla,sister\n2,acele,hurry\n',
            r'ClassIds are \[0, 2\]',
        ),
        (
            'SignList_ClassId_TR_EN.csv',
            'ClassId,TR,EN\n0,abla,sister\n0,acele,hurry\n',
            'line 3: ClassId 0 is listed twice',
        ),
        ('SignList_ClassId_TR_EN.csv', 'ClassId,EN\n0,sister\n', "absent: \\['TR'\\]"),
    ],
)
def test_bad_lists(folder, file, text, message):
    write_text(folder / file, text)
    with pytest.raises(ValueError, match=message):
        autsl_index(str(folder))


def test_absent_list(folder):
    (folder / 'test_labels.csv').unlink()
    with pytest.raises(
        FileNotFoundError, match='the list of test clips is absent; looked for test_labels.csv'
    ):
        autsl_index(str(folder))
