import pytest
from source_fixtures import index, write_text

from signbert_mm.prepare.sources import ClipRecord
from signbert_mm.prepare.sources.files import (
    csv_rows,
    find_file,
    json_entries,
    json_field,
    read_json,
    whole_number,
)
from signbert_mm.prepare.sources.names import NameIndex, files_below, without_suffix


def test_counts_and_deviations():
    found = index(
        ('a', 0, 'train'), ('b', 1, 'train'), ('c', 1, 'test'), official=dict(train=3, test=1, val=2)
    )
    assert len(found) == 3 and found.counts() == dict(train=2, test=1)
    assert found.deviations() == [
        'train: 2 clips listed, 3 in the official list',
        'val: 0 clips listed, 2 in the official list',
    ]
    assert index(('a', 0, 'train')).deviations() == []


def test_a_video_listed_twice_names_both_places():
    records = [
        ClipRecord('a', 0, 'train', where='train.csv line 2'),
        ClipRecord('a', 1, 'test', where='test.csv line 9'),
    ]
    with pytest.raises(
        ValueError,
        match=r"'a' is listed twice: train.csv line 2 \(train\) and test.csv line "
        r'9 \(test\)',
    ):
        index(*records)
    kept = index(*records, repeated='first')
    assert [record.split for record in kept.records] == ['train'] and kept.notes == dict(
        repeated=['a: test.csv line 9']
    )
    with pytest.raises(ValueError, match="repeated is 'last'"):
        index(*records, repeated='last')


def test_records_that_cannot_be():
    with pytest.raises(ValueError, match=r"'a' has label 2, outside 0 .. 1 \(2 glosses\)"):
        index(('a', 2, 'train'))
    with pytest.raises(ValueError, match='no clips are listed'):
        index()
    with pytest.raises(ValueError, match="split is ''"):
        index(('a', 0, ''))
    with pytest.raises(ValueError, match=r'line 3: start 2 and end 2 \(seconds\) leave no frames'):
        ClipRecord('a', 0, 'train', start=2, end=2, where='line 3')
    with pytest.raises(ValueError, match="unit is 'hours'"):
        ClipRecord('a', 0, 'train', unit='hours')


def test_names():
    names = NameIndex([('train/a', 1), ('test/b', 2), ('c', 3), ('x/d', 4), ('y/d', 5)], 'here')
    assert [names.key(name) for name in ('train/a', 'a', 'data/train/a', 'b', 'z/c', 'aa', 'val/a')] == [
        'train/a',
        'train/a',
        'train/a',
        'test/b',
        'c',
        None,
        None,
    ]
    assert names.key('x/d') == 'x/d'
    with pytest.raises(ValueError, match=r"here: 'd' fits several: \['x/d', 'y/d'\]"):
        names.key('d')
    with pytest.raises(ValueError, match="'a' is there twice: 1 and 2"):
        NameIndex([('a', 1), ('a', 2)], 'here')
    assert [without_suffix(name) for name in ('a.mp4', '4.7-A.MP4', '4.7-A', 'b.Webm')] == [
        'a',
        '4.7-A',
        '4.7-A',
        'b',
    ]


def test_files_below(tmp_path):
    for name in ('b.mp4', 'deep/er/a.v2.MP4', 'no.txt', '.hidden/c.mp4', '.d.mp4'):
        write_text(tmp_path / name, '')
    assert [name for name, _ in files_below(str(tmp_path), ('.mp4',))] == ['b', 'deep/er/a.v2']
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder'):
        files_below(str(tmp_path / 'nowhere'), ('.mp4',))


def test_find_file_prefers_the_first_name_then_the_nearest(tmp_path):
    for name in ('one/deep/a.json', 'b.json', 'two/a.json'):
        write_text(tmp_path / name, '')
    assert find_file(str(tmp_path), ['a.json', 'b.json'], 'the list') == str(tmp_path / 'two' / 'a.json')
    assert find_file(str(tmp_path), ['c.json'], 'the list', needed=False) == ''
    with pytest.raises(
        FileNotFoundError, match='the list is absent; looked for c.json or d.json there and below'
    ):
        find_file(str(tmp_path), ['c.json', 'd.json'], 'the list')
    with pytest.raises(FileNotFoundError, match='no such folder'):
        find_file(str(tmp_path / 'nowhere'), ['a.json'], 'the list')


@pytest.mark.parametrize(
    'text, message',
    [
        ('{"a": 1,\n"b": }', r'f.json: line 2 is not JSON .*\'"b": }\''),
        ('[1]', 'a list found, a dict expected'),
        ('', 'line 1 is not JSON'),
        ('{"a": 1,\n"b": 2,\n"a": 3}', r"'a' is listed twice: lines 1 and 3"),
        ('{"b": {"a": 1, "a": 3}}', r"'a' is listed twice: lines 1 and 1"),
    ],
)
def test_json_that_is_wrong(tmp_path, text, message):
    write_text(tmp_path / 'f.json', text)
    with pytest.raises(ValueError, match=message):
        read_json(str(tmp_path / 'f.json'), dict)


def test_json_entries(tmp_path):
    path = str(tmp_path / 'f.json')
    write_text(path, '[{"a": 1},\n{"a": "x"},\n{"b": true}]')
    entries = list(json_entries(path))
    assert entries[0] == ('f.json line 1', dict(a=1)) and json_field(entries[0][1], 'a', int, 'here') == 1
    for entry, message in (
        (entries[1][1], "'a' is 'x', a str"),
        (entries[2][1], r"'a' is absent; found \['b'\]"),
        (dict(a=True), 'a is|a bool'),
    ):
        with pytest.raises(ValueError, match=message):
            json_field(entry, 'a', int, 'here')
    write_text(path, '[{"a":\n1},\n5]')
    with pytest.raises(ValueError, match='f.json entry 2: 5 found; an object'):
        list(json_entries(path))


def test_csv_rows(tmp_path):
    path = str(tmp_path / 'f.csv')
    write_text(path, '\ufeffz,Gloss,File\n1, no ,a\n\n2,"yes, sir",b\n')
    assert list(csv_rows(path, ('File', 'Gloss'))) == [
        ('f.csv line 2', ['a', 'no']),
        ('f.csv line 4', ['b', 'yes, sir']),
    ]
    write_text(path, 'a,0\nb,1\n')
    assert [row for _, row in csv_rows(path, ('name', 'label'), header=None)] == [['a', '0'], ['b', '1']]
    write_text(path, 'label,name\n0,a\n')
    assert [row for _, row in csv_rows(path, ('name', 'label'), header=None)] == [['a', '0']]


@pytest.mark.parametrize(
    'text, message',
    [
        ('File,Gloss\na,no\nb\n', r"f.csv: line 3: \['b'\] found; expected 2 fields"),
        ('File,Gloss\na,\n', 'line 2'),
        ('File,Word\na,no\n', r"line 1: columns \['File', 'Word'\] found; absent: \['Gloss'\]"),
        ('File,Gloss\na,b,c\n', r'line 2'),
    ],
)
def test_csv_that_is_wrong(tmp_path, text, message):
    write_text(tmp_path / 'f.csv', text)
    with pytest.raises(ValueError, match=message):
        list(csv_rows(str(tmp_path / 'f.csv'), ('File', 'Gloss')))


def test_text_that_is_not_utf8_and_numbers(tmp_path):
    (tmp_path / 'f.csv').write_bytes(b'File,Gloss\n\xff,no\n')
    with pytest.raises(ValueError, match='f.csv: not UTF-8'):
        list(csv_rows(str(tmp_path / 'f.csv'), ('File', 'Gloss')))
    assert whole_number('12', 'label', 'line 1') == 12
    with pytest.raises(ValueError, match="line 1: label is '-1'; a whole number expected"):
        whole_number('-1', 'label', 'line 1')
