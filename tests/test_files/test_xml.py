"""XML of others: what is refused."""

import pytest

from signbert_mm.files.xml import read_xml

BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'
REMOTE = '<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a/>'


@pytest.mark.parametrize('text', [BOMB, OUTSIDE, REMOTE])
def test_document_types_are_refused(tmp_path, text):
    (tmp_path / 'a.eaf').write_text(text)
    with pytest.raises(ValueError, match=r"a.eaf: line 1: a document type \('a'\) is declared"):
        read_xml(tmp_path / 'a.eaf')


@pytest.mark.parametrize(
    'data, message',
    [
        (b'', 'a.eaf: line 1: this is no whole XML file'),
        (b'<a>\n<b>', 'line 2: this is no whole XML file'),
        (b'<a>&b;</a>', 'undefined entity'),
        (b'\x00\x01', 'no whole XML file'),
        ('<a>é</a>'.encode('latin-1'), 'no whole XML file'),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', 'unknown encoding'),
    ],
)
def test_what_is_no_xml(tmp_path, data, message):
    (tmp_path / 'a.eaf').write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_xml(tmp_path / 'a.eaf')


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_encodings(tmp_path, encoding):
    (tmp_path / 'a.eaf').write_bytes('<a b="ä">\u4f60</a>'.encode(encoding))
    root = read_xml(tmp_path / 'a.eaf')
    assert (root.tag, root.get('b'), root.text) == ('a', 'ä', '\u4f60')
