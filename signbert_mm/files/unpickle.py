"""Reads pickles as data: nothing in the file is run, and a small file cannot fill the memory or stop the
program.

One restricted unpickler serves every reader of pickles. It knows an exact list of names. Each name stands for
a function or a class of this project, never for the library's own: numpy's ``__setstate__`` takes buffers and
flags on trust, so that a crafted file can write to any address. A reader that needs further names, such as
those of torch, gives them to :func:`load`.
"""

import pickle
import re
from collections import OrderedDict
from typing import Any, BinaryIO, Callable, Dict, List, Mapping, Optional, Set, Tuple

import numpy as np

from ..errors import UserValueError

MAX_DEPTH = 100  # containers within containers
MAX_MEMO = 1 << 24  # objects that a pickle remembers, about 1.5 GB of them
MAX_INT_BYTES = 64
# what a pickle describes may take this many times the file's bytes, beside a fixed part that any file may use
_RATIO, _FREE = 32, 1 << 26
_NODE = 8  # bytes that a list, a dict or a number in one is counted with
_TEXT_OF_INT = 2 + MAX_INT_BYTES * 3
_CODE = re.compile(r'[biufSU]\d{1,4}')
_SCALARS = (str, int, float, bytes, type(None))  # bool is an int


class PickleRefused(UserValueError, pickle.UnpicklingError):
    """The pickle asks for something that is not read; nothing of it was run."""


class PickleDamaged(UserValueError):
    """The file is cut short, was changed, or is no pickle."""


class StandIn:
    """Stands for an object of a library while a pickle is read.

    A subclass gives :meth:`build`, which pickle's BUILD calls, and :meth:`content` if an object of it may be
    in the result.
    """

    __slots__ = ()

    def build(self, state: Any) -> Any:
        """What the object becomes with this state."""
        raise PickleRefused(f'it gives a state to {type(self).__name__.strip("_")}, which has none')

    def content(self) -> tuple:
        """The values inside, which are checked as those of a list are."""
        raise PickleRefused(f'it holds {type(self).__name__.strip("_")} where data is expected')


class Name(StandIn):
    """A function or class on the list; only REDUCE calls it.

    Attributes:
        call (Callable): What it stands for.
    """

    __slots__ = ('text', 'call')

    def __init__(self, text: str, call: Callable) -> None:
        self.text, self.call = text, call

    def build(self, state: Any) -> Any:
        raise PickleRefused(f'it changes {self.text} itself')

    def content(self) -> tuple:
        raise PickleRefused(f'it holds {self.text} itself where data is expected')


class NumpyType(StandIn):
    """A number or text type; nothing structured, no objects."""

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
    """An array that is still to get its shape and numbers, in ``value`` once it has them."""

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
    """Stands for ``numpy.ndarray``, which is only ever an argument."""

    __slots__ = ()


def _array(raw: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> np.ndarray:
    """The array of a buffer; ``order`` 'K' with ``axes``: written in C order and then transposed (numpy >=
    2.3).
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
        array = array.view(np.uint8) != 0  # numpy trusts that a bool is 0 or 1
    elif array.dtype.kind == 'U' and array.size:
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
for _core in ('numpy.core', 'numpy._core'):  # numpy 1 and numpy 2
    NUMPY_NAMES[f'{_core}.multiarray', '_reconstruct'] = _reconstruct
    NUMPY_NAMES[f'{_core}.multiarray', 'scalar'] = _scalar
    NUMPY_NAMES[f'{_core}.numeric', '_frombuffer'] = _array
PLAIN_NAMES: Dict[Tuple[str, str], Callable] = {
    **NUMPY_NAMES,
    ('collections', 'OrderedDict'): _ordered_dict,
    ('_codecs', 'encode'): _encode,  # how protocol 2, mmengine's default, writes bytes
    ('__builtin__', 'bytes'): _bytes,
    ('builtins', 'bytes'): _bytes,
}


class _Source:
    """A file whose reads never ask for more bytes than there are: a claimed length must not reserve
    memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        begin = file.tell()
        self.size = file.seek(0, 2) - begin
        file.seek(begin)
        self._end = begin + self.size
        self.readline = file.readline

    def read(self, size: int) -> bytes:
        if size > 1 << 12 and size > self._end - self._file.tell():
            raise PickleDamaged(
                f'cut short: {size} more bytes expected, {self._end - self._file.tell()} found'
            )
        return self._file.read(size)

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(buffer)


class _Unpickler(pickle._Unpickler):
    """Python's own unpickler with the opcodes of plain data; BUILD, REDUCE and the containers take known
    types only.
    """

    def __init__(
        self,
        file: BinaryIO,
        names: Mapping[Tuple[str, str], Callable],
        encoding: str,
        persistent: Optional[Callable],
    ) -> None:
        self._source = _Source(file)
        super().__init__(self._source, fix_imports=False, encoding=encoding)
        self._names: Dict[Tuple[str, str], Name] = {}
        self._allowed, self._persistent = names, persistent
        self._unbuilt: Dict[int, List[int]] = {}  # places in the memo of arrays that have no numbers yet
        self._made, self._most = 0, _RATIO * self._source.size + _FREE

    def find_class(self, module: str, name: str) -> Name:
        key = module, name
        if key not in self._allowed:
            raise PickleRefused(f'it asks for {module}.{name}, which is not on the list of what is read')
        if key not in self._names:
            self._names[key] = Name(f'{module}.{name}', self._allowed[key])
        return self._names[key]

    def persistent_load(self, pid: Any) -> Any:
        if self._persistent is None:
            raise PickleRefused(f'it asks for a persistent object {pid!r:.60}')
        return self._persistent(pid)

    def get_extension(self, code: int) -> Any:
        raise PickleRefused(f'it asks for extension {code} of this Python')

    def _count(self, value: Any) -> Any:
        """Adds what a function made: one text in the file can be encoded many times."""
        self._made += len(value) if isinstance(value, bytes) else getattr(value, 'nbytes', 0)
        if self._made > self._most:
            raise PickleRefused(f'it makes more than {self._most:,} bytes out of {self._source.size:,}')
        return value

    def _short_line(self, most: int) -> bytes:
        line = self.readline()
        if len(line) > most or line[-1:] != b'\n':
            raise PickleDamaged(f'a line of {len(line)} bytes where a whole number is expected')
        return line[:-1]

    def _remember(self, place: int, value: Any) -> None:
        if place < 0 or len(self.memo) >= MAX_MEMO:
            raise PickleRefused(f'it remembers more than {MAX_MEMO:,} objects, or at a negative place')
        self.memo[place] = value
        if type(value) is NumpyArray:
            self._unbuilt.setdefault(id(value), []).append(place)

    # what becomes an object

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if type(function) is not Name or type(arguments) is not tuple:
            raise PickleRefused(f'it calls {type(function).__name__}')
        self.stack[-1] = self._count(function.call(*arguments))

    def load_newobj(self) -> None:
        arguments = self.stack.pop()
        kind = self.stack[-1]
        if type(kind) is not Name or arguments != ():
            raise PickleRefused(f'it makes an object of {type(kind).__name__} with arguments')
        self.stack[-1] = self._count(kind.call())

    def load_build(self) -> None:
        state = self.stack.pop()
        thing = self.stack[-1]
        if not isinstance(thing, StandIn):
            raise PickleRefused(f'it gives a state to {type(thing).__name__}, which has none')
        built = self._count(thing.build(state))
        self.stack[-1] = built
        if built is not thing:
            for place in self._unbuilt.pop(id(thing), ()):
                if self.memo.get(place) is thing:
                    self.memo[place] = built

    # containers

    def load_append(self) -> None:
        value = self.stack.pop()
        self._list().append(value)

    def load_appends(self) -> None:
        values = self.pop_mark()
        self._list().extend(values)

    def _list(self) -> list:
        if type(self.stack[-1]) is not list:
            raise PickleRefused(f'it appends to {type(self.stack[-1]).__name__}')
        return self.stack[-1]

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._fill((key, value))

    def load_setitems(self) -> None:
        self._fill(self.pop_mark())

    def _fill(self, items: Any) -> None:
        target = self.stack[-1]
        if type(target) not in (dict, OrderedDict):
            raise PickleRefused(f'it sets items of {type(target).__name__}')
        if len(items) % 2:
            raise PickleDamaged('a dict has a key without a value')
        for place in range(0, len(items), 2):
            target[_key(items[place])] = items[place + 1]

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._fill(items)

    def load_additems(self) -> None:
        items = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise PickleRefused(f'it adds items to {type(self.stack[-1]).__name__}')
        self.stack[-1].update(_key(item) for item in items)

    def load_frozenset(self) -> None:
        self.append(frozenset(_key(item) for item in self.pop_mark()))

    # the memo and numbers, whose text or size could be made very long

    def load_put(self) -> None:
        self._remember(int(self._short_line(20)), self.stack[-1])

    def load_binput(self) -> None:
        self._remember(self.read(1)[0], self.stack[-1])

    def load_long_binput(self) -> None:
        self._remember(int.from_bytes(self.read(4), 'little'), self.stack[-1])

    def load_memoize(self) -> None:
        self._remember(len(self.memo), self.stack[-1])

    def load_get(self) -> None:
        self.append(self.memo[int(self._short_line(20))])

    def load_int(self) -> None:
        line = self._short_line(_TEXT_OF_INT)
        self.append({b'00': False, b'01': True}[line] if line in (b'00', b'01') else int(line, 0))

    def load_long(self) -> None:
        line = self._short_line(_TEXT_OF_INT)
        self.append(int(line[:-1] if line[-1:] == b'L' else line, 0))

    def load_long1(self) -> None:
        self._long(self.read(1)[0])

    def load_long4(self) -> None:
        self._long(int.from_bytes(self.read(4), 'little', signed=True))

    def _long(self, size: int) -> None:
        if not 0 <= size <= MAX_INT_BYTES:
            raise PickleRefused(f'it holds a whole number of {size} bytes; at most {MAX_INT_BYTES} are read')
        self.append(int.from_bytes(self.read(size), 'little', signed=True))

    def load_bytearray8(self) -> None:
        size = int.from_bytes(self.read(8), 'little')
        if size > self._source.size:
            raise PickleDamaged(f'cut short: {size} bytes expected in a file of {self._source.size}')
        self.append(bytearray(self.read(size)))

    def load_mark(self) -> None:
        if len(self.metastack) >= MAX_DEPTH:
            raise PickleRefused(f'it nests deeper than {MAX_DEPTH}')
        super().load_mark()


_OPCODES = (
    'PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 '
    'LONG4 FLOAT BINFLOAT '
    'STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE BINUNICODE8 SHORT_BINUNICODE BINBYTES BINBYTES8 '
    'SHORT_BINBYTES '
    'BYTEARRAY8 EMPTY_LIST EMPTY_DICT EMPTY_TUPLE EMPTY_SET LIST DICT TUPLE TUPLE1 TUPLE2 TUPLE3 FROZENSET '
    'APPEND APPENDS '
    'SETITEM SETITEMS ADDITEMS GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL '
    'REDUCE NEWOBJ BUILD '
    'BINPERSID'
)


def _refuse_opcode(unpickler: _Unpickler) -> None:
    raise PickleRefused('it uses an opcode that plain data does not need')


def _no_opcode(unpickler: _Unpickler) -> None:
    raise PickleDamaged('it is no pickle, or bytes of it were changed')


def _own_handlers() -> Dict[int, Callable]:
    """The opcodes that are read, with this file's handlers where it has one; every other one is refused."""
    handlers = {
        **dict.fromkeys(range(256), _no_opcode),
        **dict.fromkeys(pickle._Unpickler.dispatch, _refuse_opcode),
    }
    for name in _OPCODES.split():
        code = getattr(pickle, name)[0]
        theirs = pickle._Unpickler.dispatch[code]
        handlers[code] = getattr(_Unpickler, theirs.__name__, theirs)
    return handlers


_Unpickler.dispatch = _own_handlers()


def _key(value: Any) -> Any:
    """A dict's key or a set's item: its hash must not take longer than reading it did."""
    if isinstance(value, _SCALARS) or (
        type(value) is tuple and all(isinstance(item, _SCALARS) for item in value)
    ):
        return value
    raise PickleRefused(
        f'a key of a dict is {type(value).__name__}; text, numbers and tuples of them are read'
    )


def _inside(value: Any) -> Tuple:
    if isinstance(value, dict):
        return tuple(value.values())
    return value.content() if isinstance(value, StandIn) else tuple(value)


def _check_content(root: Any, most: int) -> None:
    """Counts everything as often as it is used: a pickle can hold one list a million times, each in the
    next.
    """
    size_of: Dict[int, Tuple[int, int]] = {}  # of finished containers: bytes and depth
    open_ones: Set[int] = set()
    # what is left, bytes and depth so far, the container
    rows: List[List[Any]] = [[iter((root,)), 0, 0, None]]
    while rows:
        row = rows[-1]
        for value in row[0]:
            row[1] += _NODE
            if isinstance(value, (*_SCALARS, bytearray)):
                continue
            if hasattr(value, 'nbytes'):  # an array or a tensor
                row[1] += value.nbytes
            elif id(value) in size_of:
                row[1], row[2] = row[1] + size_of[id(value)][0], max(row[2], size_of[id(value)][1])
            elif id(value) in open_ones:
                raise PickleRefused(f'a {type(value).__name__.strip("_")} holds itself')
            else:
                open_ones.add(id(value))
                rows.append([iter(_inside(value)), 0, 0, value])
                break
            if row[1] > most:
                raise PickleRefused(f'it describes more than {most:,} bytes')
        else:
            rows.pop()
            if row[1] > most:
                raise PickleRefused(f'it describes more than {most:,} bytes')
            if row[2] + 1 > MAX_DEPTH:
                raise PickleRefused(f'it nests deeper than {MAX_DEPTH}')
            if rows:
                size_of[id(row[3])] = row[1], row[2] + 1
                open_ones.discard(id(row[3]))
                rows[-1][1], rows[-1][2] = rows[-1][1] + row[1], max(rows[-1][2], row[2] + 1)
        if len(rows) > MAX_DEPTH + 1:
            raise PickleRefused(f'it nests deeper than {MAX_DEPTH}')


def load(
    file: BinaryIO,
    names: Optional[Mapping[Tuple[str, str], Callable]] = None,
    encoding: str = 'ASCII',
    max_bytes: Optional[int] = None,
    persistent: Optional[Callable[[Any], Any]] = None,
) -> Any:
    """The content of a pickle of plain data and numpy arrays; the file is left behind its end.

    Args:
        file (BinaryIO): The open file, which can seek.
        names (Mapping, optional): (module, name) -> what stands for it, beside :data:`PLAIN_NAMES`. It may be
            called by the file with any arguments, so it checks them; an object that gets a state derives from
            :class:`StandIn`.
        encoding (str): How text of Python 2 becomes text, as in :func:`pickle.load`.
        max_bytes (int, optional): The largest file that is read.
        persistent (Callable, optional): Gives the object of a persistent id; None = such an id is refused.

    Returns:
        Any: None, bool, int, float, str, bytes, list, tuple, dict, set, read-only ndarray, and objects of
            ``names``.

    Raises:
        PickleRefused: It asks for another name or opcode, or is larger, deeper or wider than is read. Nothing
            was run.
        PickleDamaged: It is cut short or no pickle.
        OSError: The file cannot be read.
    """
    unpickler = _Unpickler(file, {**PLAIN_NAMES, **(names or {})}, encoding, persistent)
    size = unpickler._source.size
    if max_bytes is not None and size > max_bytes:
        raise PickleRefused(f'it has {size:,} bytes; at most {max_bytes:,} are read')
    try:
        content = unpickler.load()
        _check_content(content, unpickler._most)
    except (PickleRefused, PickleDamaged):
        raise
    except OSError:
        raise
    except EOFError as error:
        raise PickleDamaged('cut short: it ends before its last opcode') from error
    except Exception as error:  # a damaged pickle raises almost anything
        raise PickleDamaged(f'{type(error).__name__}: {error}') from error
    return content


def safe_load(file: BinaryIO) -> Any:
    """The content of a pickle of plain data and numpy arrays, see :func:`load`.

    Raises:
        ValueError: It asks for any other name, holds other than plain data, is too large for its bytes, or is
            damaged; the message names the file.
    """
    try:
        return load(file)
    except (PickleRefused, PickleDamaged) as error:
        where = getattr(file, 'name', 'pickle')
        raise UserValueError(f'{where}: refused ({error}); nothing from it was run') from error


def to_array(value: Any) -> np.ndarray:
    """A list, number or array of :func:`safe_load` as an ndarray (arrays are read-only views).

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, (list, tuple)):
        longest = max((len(item) for item in value if isinstance(item, str)), default=0)
        if longest * len(value) > 1 << 28:  # an array gives each text the room of the longest
            raise UserValueError(
                f'{len(value)} texts, one of them of {longest} characters, are no list of names'
            )
    array = np.asarray(value)
    if array.dtype.kind == 'O':
        raise UserValueError(f'{type(value).__name__} found where an array is expected')
    return array


def without_stand_ins(value: Any) -> Any:
    """The same content with arrays in the place of :class:`NumpyArray`, for a reader that keeps the objects
    as they are.

    Dicts and lists are changed in place. Objects of other classes are left as they are.

    Raises:
        PickleRefused: A container holds itself, nests too deep, or an array was never filled.
    """
    return _replaced(value, {}, 0)


def _replaced(value: Any, seen: Dict[int, Any], depth: int) -> Any:
    if isinstance(value, NumpyArray):
        if not hasattr(value, 'value'):
            value.content()
        return value.value.copy()  # such arrays were always writable
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
    seen[id(value)] = value, result  # the first keeps the id in use
    return result
