"""Functions and classes that replace those named in a pickle while it is read.

The libraries' own are not used: numpy's ``__setstate__`` trusts the buffers and flags in the file, so a
crafted file could write to any address.
"""

import pickle
import re
from collections import OrderedDict
from typing import Any, Callable, Dict, Tuple

import numpy as np

from ..errors import UserValueError

# Containers within containers.
MAX_DEPTH = 100
# Numbers and fixed-width text, no objects.
_CODE = re.compile(r'[biufSU]\d{1,4}')


class PickleRefused(UserValueError, pickle.UnpicklingError):
    """The pickle needs something that is not allowed; nothing of it was run."""


class PickleDamaged(UserValueError):
    """The file is cut short, was changed, or is no pickle."""


class StandIn:
    """Replaces an object of a library while a pickle is read.

    A subclass defines :meth:`build`, which pickle's BUILD calls. It defines :meth:`content` if the result may
    hold an object of it.
    """

    __slots__ = ()

    def build(self, state: Any) -> Any:
        """The object with this state."""
        raise PickleRefused(f'it gives a state to {type(self).__name__.strip("_")}, which has none')

    def content(self) -> tuple:
        """The values inside, which are checked like those of a list."""
        raise PickleRefused(f'it holds {type(self).__name__.strip("_")} where data is expected')


class Name(StandIn):
    """An allowed function or class; only REDUCE calls it.

    Attributes:
        call (Callable): The function or class.
    """

    __slots__ = ('text', 'call')

    def __init__(self, text: str, call: Callable) -> None:
        self.text, self.call = text, call

    def build(self, state: Any) -> Any:
        raise PickleRefused(f'it changes {self.text} itself')

    def content(self) -> tuple:
        raise PickleRefused(f'it holds {self.text} itself where data is expected')


class NumpyType(StandIn):
    """Replaces ``numpy.dtype``: numbers and text, nothing structured, no objects."""

    __slots__ = ('dtype',)

    def __init__(self, code: Any = None, *_: Any) -> None:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise PickleRefused(f'array type {code!r:.60} is not read; only numbers and fixed-width text are')
        try:
            self.dtype = np.dtype(code)
        except TypeError:
            raise PickleRefused(f'array type {code!r} is not known') from None

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ('<', '>', '|', '='):
            raise PickleRefused(f'byte order {order!r:.60} of an array is not known')
        self.dtype = self.dtype.newbyteorder(order)

    def build(self, state: Any) -> Any:
        self.__setstate__(state)
        return self


class NumpyArray(StandIn):
    """Replaces an array that has no shape and numbers yet; ``value`` is the array once it has them."""

    __slots__ = ('value',)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise PickleRefused('the state of an array is not (version, shape, type, order, numbers)')
        _, shape, dtype, fortran, raw = state
        self.value = _array(raw, dtype, shape, 'F' if fortran else 'C')

    def build(self, state: Any) -> Any:
        self.__setstate__(state)
        return self.value

    def content(self) -> tuple:
        raise PickleRefused('it holds one that was never filled where an array is expected')


class NumpyArrayClass(StandIn):
    """Replaces ``numpy.ndarray``, which is only used as an argument."""

    __slots__ = ()


def _array(raw: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> np.ndarray:
    """The array of a buffer.

    ``order`` 'K' with ``axes`` (numpy >= 2.3) means C order and then a transposition.
    """
    if not isinstance(dtype, NumpyType) or not isinstance(raw, (bytes, bytearray, str)):
        raise PickleRefused('an array does not hold plain numbers')
    if order not in ('C', 'F', 'K') or (order == 'K') != (axes is not None):
        raise PickleRefused(f'order {order!r:.60} of an array is not known')
    for numbers in (shape, axes if axes is not None else ()):
        if (
            not isinstance(numbers, tuple)
            or len(numbers) > 32
            or not all(type(n) is int and n >= 0 for n in numbers)
        ):
            raise PickleRefused(f'shape {numbers!r:.60} of an array is no tuple of whole numbers')
    raw = raw.encode('latin1') if isinstance(raw, str) else raw
    array = np.frombuffer(raw, dtype.dtype).reshape(shape, order='C' if order == 'K' else order)
    if order == 'K':
        array = array.transpose(axes)
    if array.dtype.kind == 'b':
        # numpy assumes that the byte of a bool is 0 or 1.
        array = array.view(np.uint8) != 0
    elif array.dtype.kind == 'U' and array.size:
        # numpy does not check that code points exist.
        points = np.frombuffer(raw, np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if points.max(initial=0) > 0x10FFFF:
            raise PickleRefused('an array of text holds numbers that are no characters')
    return array


def _reconstruct(*_: Any) -> NumpyArray:
    return NumpyArray()


def _scalar(dtype: Any = None, raw: Any = b'') -> Any:
    return _array(raw, dtype, (), 'C').item()


def _encode(text: Any = None, codec: Any = 'latin1') -> bytes:
    if not isinstance(text, str) or codec not in ('latin1', 'latin-1'):
        raise PickleRefused(f'codec {codec!r:.60} is not read')
    return text.encode('latin1')


def _ordered_dict(*items: Any) -> OrderedDict:
    if items:
        raise PickleRefused('collections.OrderedDict is called with items')
    return OrderedDict()


def _bytes(*items: Any) -> bytes:
    if items:
        raise PickleRefused('bytes is called with a value')
    return b''


NUMPY_NAMES: Dict[Tuple[str, str], Callable] = {
    ('numpy', 'ndarray'): NumpyArrayClass,
    ('numpy', 'dtype'): NumpyType,
}


# numpy 1 and numpy 2.
for _core in ('numpy.core', 'numpy._core'):
    NUMPY_NAMES[f'{_core}.multiarray', '_reconstruct'] = _reconstruct
    NUMPY_NAMES[f'{_core}.multiarray', 'scalar'] = _scalar
    NUMPY_NAMES[f'{_core}.numeric', '_frombuffer'] = _array


PLAIN_NAMES: Dict[Tuple[str, str], Callable] = {
    **NUMPY_NAMES,
    ('collections', 'OrderedDict'): _ordered_dict,
    # Protocol 2, mmengine's default, writes bytes in this way.
    ('_codecs', 'encode'): _encode,
    ('__builtin__', 'bytes'): _bytes,
    ('builtins', 'bytes'): _bytes,
}


def without_stand_ins(value: Any) -> Any:
    """The same content with arrays in place of :class:`NumpyArray`.

    It is for readers that leave stand-ins in the result. Dicts and lists are changed in place. Objects of
    other classes stay as they are.

    Raises:
        PickleRefused: A container holds itself, nests too deep, or an array was never filled.
    """
    return _replaced(value, {}, 0)


def _replaced(value: Any, seen: Dict[int, Any], depth: int) -> Any:
    if isinstance(value, NumpyArray):
        if not hasattr(value, 'value'):
            value.content()
        # A copy, since arrays of a checkpoint have always been writable.
        return value.value.copy()
    if isinstance(value, StandIn):
        value.content()
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) in seen:
        if seen[id(value)] is None:
            raise PickleRefused(f'a {type(value).__name__} holds itself')
        return seen[id(value)][1]
    if depth > MAX_DEPTH:
        raise PickleRefused(f'it nests deeper than {MAX_DEPTH}')
    seen[id(value)] = None
    result = value
    if isinstance(value, dict):
        for key, item in list(value.items()):
            value[key] = _replaced(item, seen, depth + 1)
    elif isinstance(value, list):
        value[:] = [_replaced(item, seen, depth + 1) for item in value]
    elif type(value) is tuple:
        result = tuple(_replaced(item, seen, depth + 1) for item in value)
    # Holding the value keeps its id from being used again.
    seen[id(value)] = value, result
    return result
