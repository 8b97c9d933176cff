"""Label files as people save them."""

import codecs

import pytest

from signbert_mm.files.text import (
    clean_text,
    csv_rows,
    read_glosses,
    read_json,
    read_text,
    shown_name,
    table_rows,
    text_lines,
)

NFC, NFD = 'caf\u00e9', 'cafe\u0301'


def write(path, text, encoding='utf-8'):
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return str(path)


@pytest.mark.parametrize(
    'text', ['a\nb\n', 'a\r\nb\r\n', 'a\rb', '\ufeffa\nb', '\n a \n\nb\u200b\n\n', 'a\xa0\n\tb']
)
def test_lines_are_the_same_however_they_are_saved(tmp_path, text):
    assert [line for _, line in text_lines(write(tmp_path / 'f.txt', text))] == ['a', 'b']


def test_line_numbers_and_unicode_form(tmp_path):
    assert text_lines(write(tmp_path / 'f.txt', f'\n{NFD}\r\n\r\nb')) == [(2, NFC), (4, 'b')]
    assert read_text(write(tmp_path / 'g.txt', 'caf\xe9', 'latin-1'), 'latin-1') == NFC
    assert clean_text(f' \ufeff {NFD}\u200b\u3000') == NFC


@pytest.mark.parametrize(
    'data, message',
    [
        (
            'a\ncaf\xe9'.encode('latin-1'),
            'line 2, byte 5 is 0xe9; it looks like Windows-1252.*iconv -f Windows-1252',
        ),
        ('你好你好'.encode('gb18030'), 'it looks like GB18030'),
        ('video,gloss\na.mp4,grün\nb.mp4,schön'.encode('latin-1'), 'it looks like Windows-1252'),
        (codecs.BOM_UTF16_LE + 'a'.encode('utf-16-le'), 'this is UTF-16, not UTF-8 text; save it as UTF-8'),
        ('a,b'.encode('utf-16-be'), 'UTF-16 without a mark, or no text'),
    ],
)
def test_another_encoding_is_named(tmp_path, data, message):
    with pytest.raises(ValueError, match=message) as error:
        read_text(write(tmp_path / 'f.txt', data))
    assert str(error.value).startswith(str(tmp_path / 'f.txt'))
    with pytest.raises(ValueError, match='not ascii .line 1, byte 0'):
        read_text(write(tmp_path / 'f.txt', 'é'), 'ascii')


def test_glosses(tmp_path):
    assert read_glosses(write(tmp_path / 'g.txt', '\ufeffhello\r\n thanks \r\n\r\n')) == ['hello', 'thanks']
    with pytest.raises(ValueError, match="'caf\u00e9' is listed twice: lines 1 and 3"):
        read_glosses(write(tmp_path / 'g.txt', f'{NFC}\nb\n{NFD}'))
    with pytest.raises(ValueError, match='line 2 is empty, and a gloss follows it'):
        read_glosses(write(tmp_path / 'g.txt', 'a\n\nb'))
    with pytest.raises(ValueError, match='no glosses in it'):
        read_glosses(write(tmp_path / 'g.txt', '\n \n'))
    with pytest.raises(FileNotFoundError, match='no such file; it holds one gloss a line'):
        read_glosses(tmp_path / 'absent.txt')


@pytest.mark.parametrize(
    'text',
    [
        'file,gloss\na,yes\n',
        '\ufeffFile , GLOSS\r\na, yes \r\n,\r\n',
        'file;gloss\na;yes\n',
        'file\tgloss\na\tyes',
        '"file","gloss"\n"a","yes"\n\n',
        'x,file,gloss\n1,a,yes,,\n',
    ],
)
def test_tables_are_the_same_however_they_are_saved(tmp_path, text):
    rows = list(table_rows(write(tmp_path / 't.csv', text), ('file', 'gloss'), ('split',)))
    assert [row for _, row in rows] == [dict(file='a', gloss='yes', split='')] and rows[0][0] == 2


def test_optional_columns_may_be_left_out_of_a_row(tmp_path):
    path = write(tmp_path / 't.csv', 'file,gloss,split\na,yes\nb,no,test\n')
    assert [row['split'] for _, row in table_rows(path, ('file', 'gloss'), ('split',))] == ['', 'test']


@pytest.mark.parametrize(
    'text, message',
    [
        (
            'name,gloss\na,b',
            r"line 1: columns \['name', 'gloss'\] found; absent: \['file'\]; needed: file, "
            r'gloss',
        ),
        ('file,gloss,file\na,b,c', r"line 1: columns \['file'\] are there twice"),
        ('file,gloss\na,b\nc,\n', r"line 3: \['c', ''\] found; .*something in gloss"),
        ('file,gloss\na,b,c\n', r'line 2: .*expected 2 fields'),
        ('file,gloss\na,b\nc,"d\ne,f\n', 'line 3: unexpected end of data; correct the quotation marks'),
    ],
)
def test_tables_that_are_wrong(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        list(table_rows(write(tmp_path / 't.csv', text), ('file', 'gloss')))


def test_rows_without_a_header(tmp_path):
    path = write(tmp_path / 't.csv', 'a,1\n\nb,2\n')
    assert list(csv_rows(path, ('name', 'label'), header=None)) == [
        ('t.csv line 1', ['a', '1']),
        ('t.csv line 3', ['b', '2']),
    ]
    assert list(csv_rows(path, ('name', 'label'), header=False))[0][1] == ['a', '1']
    with pytest.raises(FileNotFoundError, match='no such file; it is a csv file with name, label'):
        list(csv_rows(str(tmp_path / 'absent.csv'), ('name', 'label')))


def test_json(tmp_path):
    assert read_json(write(tmp_path / 'f.json', f'\ufeff["{NFD}"]'), list) == [NFC]
    with pytest.raises(ValueError, match='a list found, a dict expected'):
        read_json(write(tmp_path / 'f.json', '[]'), dict)
    with pytest.raises(ValueError, match='Windows-1252'):
        read_json(write(tmp_path / 'f.json', '["caf\xe9"]', 'cp1252'), list)


def test_names_are_printable():
    assert (
        shown_name(b'caf\xe9.mp4') == 'caf\\xe9.mp4' == shown_name('caf\udce9.mp4') and shown_name('é') == 'é'
    )


def test_columns_that_are_not_read_are_named_where_one_may_be_meant(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr('signbert_mm.files.text.print_log', lambda text, **_: lines.append(text))

    def read(header, optional=('split', 'signer')):
        names = header.split(',')
        path = write(tmp_path / 't.csv', f'{header}\n{",".join(names)}\n')
        return next(table_rows(path, ('file', 'gloss'), optional))[1]

    assert read('file,Set,gloss,signer_id') == dict(file='file', gloss='gloss', split='', signer='')
    read('file,gloss,split,notes')
    shown = [line.split(': ', 1)[1] for line in lines]
    assert shown == [
        'columns not read: Set, signer_id; possible: split, signer',
        'columns not read: notes; possible: signer',
    ]
    # Nothing else can be meant where all are there, or where none is optional.
    read('file,gloss,split,signer,notes')
    read('file,gloss,fps', ())
    assert len(lines) == 2
