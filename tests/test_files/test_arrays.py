import io
import warnings
import zipfile

import numpy as np
import pytest

from signbert_mm.files.arrays import ArrayFileError, open_array, read_arrays, read_npy, read_npz


def header(shape, kind='<f8'):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, dict(descr=kind, fortran_order=False, shape=shape))
    return file.getvalue()


def archive(members, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, 'w', compression) as made:
        warnings.simplefilter('ignore')  # of a name that comes twice
        for name, data in members:
            made.writestr(name, data)
    return file.getvalue()


def test_what_numpy_writes_is_read(tmp_path):
    fields = dict(
        a=np.arange(6.0).reshape(2, 3),
        b=np.asfortranarray(np.ones((3, 2), np.int16)),
        c=np.asarray(['x', 'yz']),
        d=np.zeros((0, 3)),
    )
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / 'f.npz', **fields)
        found = read_arrays(tmp_path / 'f.npz')
        assert sorted(found) == sorted(fields)
        for name, array in fields.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)
    np.save(tmp_path / 'f.npy', fields['a'])
    np.testing.assert_array_equal(read_arrays(tmp_path / 'f.npy'), fields['a'])
    np.testing.assert_array_equal(read_npy((tmp_path / 'f.npy').read_bytes()), fields['a'])


@pytest.mark.parametrize(
    'data, message',
    [
        (archive([('a.npy', header((1 << 50,)))]), 'does not fit its 0 bytes'),
        (archive([('a.npy', header((2, 1 << 62, 4)))]), 'does not fit'),
        (archive([('a.npy', header((-1,)))]), 'does not fit'),
        (archive([('a.npy', header((2,)) + bytes(8))]), 'does not fit its 8 bytes'),
        (
            archive([('a.npy', header((1,)) + bytes(8)), ('a.npy', header((1,)) + bytes(8))]),
            'two arrays of one name',
        ),
        (archive([('a.npy', header((1,)) + bytes(8))], zipfile.ZIP_LZMA), 'numpy does not write'),
        (archive([('a.npy', b'\x93NUMPY\x01\x00' + b'\xff\x00' + b'(' * 255)]), '.'),
        (archive([('a.npy', b'\x93NUMPY\x03\x00' + b'\x10\x00\x00\x00' + b' ' * 16)]), 'npy format'),
        (archive([('a.npy', b'not an array')]), 'magic'),
        (
            archive([('a.npy', header((1,), '|O') + b'cposix\nsystem\n.')]),
            'Python objects, .*; save it as numbers',
        ),
        (b'PK\x03\x04 and no more', '.'),
        (b'', '.'),
    ],
)
def test_damaged_and_crafted_files_are_one_error(data, message):
    with pytest.raises(ArrayFileError, match=message):
        read_npz(data)


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr('signbert_mm.files.arrays._FREE', 1 << 20)
    data = archive([('a.npy', header((1 << 20,)) + bytes(8 << 20))])
    assert len(data) < 20000
    with pytest.raises(ArrayFileError, match='bytes would become 8,388,'):
        read_npz(data)


def test_an_npy_file_that_claims_more_than_it_has():
    with pytest.raises(ArrayFileError, match='does not fit'):
        read_npy(header((1 << 50,)))
    with pytest.raises(ArrayFileError):
        read_npy(b'text')
    with pytest.raises(ArrayFileError, match='an array holds Python objects, .*; save it as numbers or text'):
        read_npy(header((1,), '|O'))


def test_a_bool_is_0_or_1():
    assert read_npy(header((3,), '|b1') + b'\x00\x01\x07').view(np.uint8).tolist() == [0, 1, 1]


def test_an_absent_file_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / 'none.npz')


HEADER = (
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".ljust(127) + b'\n'
)
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
    with pytest.raises(
        ValueError, match=r'a\.npy \(\d+ bytes\): not a whole npy file \(.+\); copy it again'
    ) as caught:
        open_array(tmp_path / 'a.npy')
    assert 'allow_pickle' not in str(caught.value)


def test_an_absent_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_array(tmp_path / 'a.npy')
