import pytest

from signbert_mm.files.json import load_json, load_json_file


def test_what_is_usual_is_read(tmp_path):
    (tmp_path / 'f.json').write_text('{"a": [1, 2.5, -3, true, null, "ä"]}', encoding='utf-8')
    assert load_json_file(tmp_path / 'f.json') == {'a': [1, 2.5, -3, True, None, 'ä']}
    assert load_json('9' * 4300) == int('9' * 4300)


@pytest.mark.parametrize(
    'text, message',
    [
        ('[' * 10**6, 'nest too deep'),
        ('{"a":' * 10**5, 'nest too deep'),
        ('9' * 10**6, 'whole number of 1,000,000 digits'),
        ('{"a": [1, -' + '1' * 5000 + ']}', 'whole number'),
        ('{', 'Expecting'),
        ('', 'Expecting'),
        (b'\xff\xfe\xff', '.'),
    ],
)
def test_bombs_and_damaged_texts(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        load_json(text)
    (tmp_path / 'f.json').write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message):
        load_json_file(tmp_path / 'f.json')
