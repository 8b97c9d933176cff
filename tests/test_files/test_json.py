import json

import numpy as np
import pytest

from signbert_mm.files.json import load_json, load_json_file, write_json


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


def test_writing(tmp_path):
    content = {'a': [1, 2.5, None], 'ä': 'ä'}
    for name, indent in (('new/a.txt', None), ('new/b.json', 1)):
        write_json(content, tmp_path / name, indent)
        assert (tmp_path / name).read_text() == json.dumps(content, indent=indent)
    write_json(dict(a=np.float32(0.5), b=np.arange(2)), tmp_path / 'n')
    assert load_json_file(tmp_path / 'n') == dict(a=0.5, b=[0, 1])
    with pytest.raises(TypeError, match='JSON cannot hold .* a object'):
        write_json([object()], tmp_path / 'n')
    assert load_json_file(tmp_path / 'n') == dict(a=0.5, b=[0, 1])
