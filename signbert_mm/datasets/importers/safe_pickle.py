"""Reads pickles of plain data and numpy arrays without running anything from them.

An exact list of names is served, each by a stand-in from this file. Numpy's own unpickling is never called: its ``__setstate__`` takes dtype flags
and buffers on trust.
"""

import pickle
import re
from collections import OrderedDict
from typing import Any, BinaryIO, Tuple

import numpy as np

_CODE = re.compile(r'[biuf]\d{1,2}|[SU]\d{1,4}')


class _Dtype:
    """A number or text type; nothing structured, no objects."""

    def __init__(self, code: str, *_: Any) -> None:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise pickle.UnpicklingError(f'array type {code!r} is not read; only numbers and fixed-width text are')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Tuple) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ('<', '>', '|', '='):
            raise pickle.UnpicklingError(f'byte order {order!r} of an array is not known')
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array under construction; :func:`to_array` turns it into one."""

    def __setstate__(self, state: Tuple) -> None:
        _, shape, dtype, fortran, raw = state
        self.value = _build(raw, dtype, shape, 'F' if fortran else 'C')


class _Type:
    """Stands for ``numpy.ndarray``, which is only ever an argument."""


def _build(raw: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not isinstance(raw, (bytes, bytearray, str)) or order not in ('C', 'F'):
        raise pickle.UnpicklingError('an array does not hold plain numbers')
    raw = raw.encode('latin1') if isinstance(raw, str) else raw
    return np.frombuffer(raw, dtype.dtype).reshape(shape, order=order)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _frombuffer(raw: Any, dtype: Any, shape: Any, order: str, axes: Any = None) -> np.ndarray:
    """``axes`` comes from numpy 2.3 on, for a view whose axes were exchanged: 'K', and the order of the axes."""
    if order != 'K':
        return _build(raw, dtype, shape, order)
    if not isinstance(axes, tuple) or sorted(axes) != list(range(len(shape))):
        raise pickle.UnpicklingError(f'axes {axes!r} of an array of shape {shape!r} are not an order of these')
    return _build(raw, dtype, shape, 'C').transpose(axes)


def _scalar(dtype: Any, raw: Any = b'') -> Any:
    return _build(raw, dtype, (), 'C').item()


def _encode(text: Any, codec: Any = 'latin1') -> bytes:
    if not isinstance(text, str) or codec not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'codec {codec!r} is not read')
    return text.encode('latin1')


def _bytes() -> bytes:
    return b''


_NAMES = {
    ('numpy', 'ndarray'): _Type,
    ('numpy', 'dtype'): _Dtype,
    ('collections', 'OrderedDict'): OrderedDict,
    ('_codecs', 'encode'): _encode,  # how protocol 2, mmengine's default, writes bytes
    ('__builtin__', 'bytes'): _bytes,
    ('builtins', 'bytes'): _bytes,
}
for _core in ('numpy.core', 'numpy._core'):  # numpy 1 and numpy 2
    _NAMES[f'{_core}.multiarray', '_reconstruct'] = _reconstruct
    _NAMES[f'{_core}.multiarray', 'scalar'] = _scalar
    _NAMES[f'{_core}.numeric', '_frombuffer'] = _frombuffer


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}, which is not on the list of what is read')
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f'it asks for a persistent object {pid!r}')


def safe_load(file: BinaryIO) -> Any:
    """The pickle's content; arrays are to be passed through :func:`to_array`.

    Raises:
        ValueError: It asks for any other name, holds other than plain data, or is damaged; the message names the file.
    """
    try:
        return _Unpickler(file).load()
    except Exception as error:  # a damaged pickle raises almost anything
        raise ValueError(f'{getattr(file, "name", "pickle")}: refused ({type(error).__name__}: {error}); nothing from it was run') from error


def to_array(value: Any) -> np.ndarray:
    """A list, number or array of :func:`safe_load` as an ndarray (arrays are read-only views).

    Raises:
        ValueError: It is none of these.
    """
    value = getattr(value, 'value', value) if isinstance(value, _Array) else value
    array = np.asarray(value)
    if array.dtype.kind == 'O':
        raise ValueError(f'{type(value).__name__} found where an array is expected')
    return array
