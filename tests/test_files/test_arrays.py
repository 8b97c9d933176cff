import numpy as np
import pytest

from signbert_mm.files.arrays import open_array

HEADER = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".ljust(127) + b'\n'
DAMAGED = dict(
    empty=b'',
    page=b'<html>',
    pointer=b'version https://git-lfs.github.com/spec/v1',
    short=HEADER + b'\0' * 8,
    shape=HEADER.replace(b'(2, 3)', b'(2, x)'),
    kind=HEADER.replace(b"'<f4'", b"'|O8'") + b'\0' * 48,
    bracket=HEADER.replace(b'}', b'('),
    cut=HEADER[:40],
    huge=HEADER.replace(b'(2, 3), }', b'(999999999999999, 3)}'),
)


def test_a_whole_file(tmp_path):
    (tmp_path / 'a.npy').write_bytes(HEADER + np.arange(6, dtype='<f4').tobytes())
    assert open_array(tmp_path / 'a.npy').tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize('kind', DAMAGED)
def test_a_damaged_file_is_named(tmp_path, kind):
    (tmp_path / 'a.npy').write_bytes(DAMAGED[kind])
    with pytest.raises(ValueError, match=r'a\.npy \(\d+ bytes\): not a whole npy file \(.+\); copy it again') as caught:
        open_array(tmp_path / 'a.npy')
    assert 'allow_pickle' not in str(caught.value)


def test_an_absent_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_array(tmp_path / 'a.npy')
