"""Reads npy and npz files of plain arrays, whose size is checked before memory is reserved for them."""

import contextlib
import io
import os
import zipfile
from typing import BinaryIO, Dict, Iterator, Tuple, Union

import numpy as np

from ..errors import UserValueError

# Limits of the decompressed size: this multiple of the file's own bytes, or this many bytes in any case.
_RATIO, _FREE = 200, 1 << 28
_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
Source = Union[str, 'os.PathLike[str]', bytes]


class ArrayFileError(UserValueError):
    """A file that is damaged or too large, or holds other than plain arrays; the message does not name it."""


def read_npz(source: Source) -> Dict[str, np.ndarray]:
    """All arrays of an npz file.

    Args:
        source (str | Path | bytes): The file, or its content.

    Raises:
        ArrayFileError: It is damaged, an array is of objects, or it would become far larger than it is.
        OSError: The file cannot be read.
    """
    with _damage_named(), _opened(source) as (file, size):
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, size)
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: _plain(arrays[name]) for name in arrays.files}


def read_npy(source: Source) -> np.ndarray:
    """The array of an npy file; arguments and errors as of :func:`read_npz`."""
    with _damage_named(), _opened(source) as (file, size):
        _check_header(file, size)
        file.seek(0)
        return _plain(np.load(file, allow_pickle=False))


def read_arrays(source: Source) -> Union[np.ndarray, Dict[str, np.ndarray]]:
    """:func:`read_npz` of an npz file, :func:`read_npy` of any other."""
    with _opened(source) as (file, _):
        zipped = file.read(2) == b'PK'
    return read_npz(source) if zipped else read_npy(source)


@contextlib.contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except (ArrayFileError, OSError):
        raise
    except Exception as error:
        # numpy, zipfile and zlib raise almost anything for a damaged file.
        raise ArrayFileError(str(error) or type(error).__name__) from error


@contextlib.contextmanager
def _opened(source: Source) -> Iterator[Tuple[BinaryIO, int]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source), len(source)
        return
    with open(source, 'rb') as file:
        yield file, os.fstat(file.fileno()).st_size


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ArrayFileError('it holds two arrays of one name')
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ArrayFileError('it is compressed in a way that numpy does not write')
    total = sum(member.file_size for member in members)
    if total > max(_FREE, _RATIO * size):
        raise ArrayFileError(f'its {size:,} bytes would become {total:,}')
    for member in members:
        with archive.open(member) as file:
            _check_header(file, member.file_size)


def _check_header(file: BinaryIO, size: int) -> None:
    """Refuses an array whose header does not fit the bytes that follow it."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADER_READERS:
        raise ArrayFileError(f'an array is in npy format {version}, which plain arrays do not need')
    shape, _, dtype = _HEADER_READERS[version](file)
    if dtype.hasobject:
        raise ArrayFileError('an array holds Python objects, which are not read; save it as numbers or text')
    count = 1
    for length in shape:
        count *= int(length)
    if min(shape, default=0) < 0 or count * dtype.itemsize != size - file.tell():
        raise ArrayFileError(
            f'an array of shape {shape} and type {dtype} does not fit its {size - file.tell():,} bytes'
        )


def _plain(array: np.ndarray) -> np.ndarray:
    if array.dtype == bool:
        # numpy assumes that the byte of a bool is 0 or 1.
        return array.view(np.uint8) != 0
    return array


def open_array(path: Union[str, 'os.PathLike[str]'], mmap_mode: str = 'r') -> np.ndarray:
    """A memory-mapped npy file; nothing in it is executed.

    Args:
        path (str | Path): The file.
        mmap_mode (str): As in ``numpy.load``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no npy file, or shorter than its header says; the message names it and its size.
    """
    path = os.fspath(path)
    try:
        return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except FileNotFoundError:
        raise
    # numpy parses the header as Python text, so a damaged one can raise anything.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if 'allow_pickle' in reason:
            # numpy advises to allow pickles, which would execute the file.
            reason = 'it does not begin as an npy file does, or holds Python objects'
        size = os.path.getsize(path)
        raise UserValueError(
            f'{path} ({size} bytes): not a whole npy file ({reason}); copy it again or make it again'
        ) from error
