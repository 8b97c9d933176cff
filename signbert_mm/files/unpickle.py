"""Reads pickles as data: nothing in the file is run, and a small file cannot fill the memory.

All readers of pickles use this one restricted unpickler. It allows an exact list of names, those of
:mod:`.stand_ins`. A reader that needs further names, such as those of torch, passes them to :func:`load`.
"""

import pickle
from collections import OrderedDict
from typing import Any, BinaryIO, Callable, Dict, List, Mapping, Optional, Set, Tuple

import numpy as np

from ..errors import UserValueError
from .stand_ins import MAX_DEPTH, PLAIN_NAMES, Name, NumpyArray, PickleDamaged, PickleRefused, StandIn

# Objects that a pickle may memoize, about 1.5 GB.
MAX_MEMO = 1 << 24
MAX_INT_BYTES = 64
# Limit of the content's size: this multiple of the file's bytes, plus this many bytes for any file.
_RATIO, _FREE = 32, 1 << 26
# Bytes that count for a list, a dict or a number in one.
_NODE = 8
_TEXT_OF_INT = 2 + MAX_INT_BYTES * 3
# bool is an int.
_SCALARS = (str, int, float, bytes, type(None))


class _Source:
    """A file that refuses reads beyond its end, so that a false length does not reserve memory."""

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
    """Python's unpickler with the opcodes of plain data; BUILD, REDUCE and containers take known types."""

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
        # Places in the memo of arrays that have no numbers yet.
        self._unbuilt: Dict[int, List[int]] = {}
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
        """Adds the size of what a function made."""
        # One text in the file can be encoded many times.
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

    # Opcodes that make objects.

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
        # Earlier references in the memo must give the array too, not its stand-in.
        if built is not thing:
            for place in self._unbuilt.pop(id(thing), ()):
                if self.memo.get(place) is thing:
                    self.memo[place] = built

    # Containers.

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

    # The memo and numbers, whose text or size a file could make very long.

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
    'LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE BINUNICODE8 SHORT_BINUNICODE '
    'BINBYTES BINBYTES8 SHORT_BINBYTES BYTEARRAY8 EMPTY_LIST EMPTY_DICT EMPTY_TUPLE EMPTY_SET LIST DICT '
    'TUPLE TUPLE1 TUPLE2 TUPLE3 FROZENSET APPEND APPENDS SETITEM SETITEMS ADDITEMS GET BINGET LONG_BINGET '
    'PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD BINPERSID'
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
    """Checks a dict's key or a set's item."""
    # Hashing nested tuples can take far longer than reading them.
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
    """Refuses content that is larger than ``most`` bytes, too deep, or holds itself."""
    # Everything counts as often as it is used: a pickle can hold one list a million times, each in the next.
    # Bytes and depth of finished containers.
    size_of: Dict[int, Tuple[int, int]] = {}
    open_ones: Set[int] = set()
    # A stack instead of recursion. A row: remaining items, bytes and depth so far, the container.
    rows: List[List[Any]] = [[iter((root,)), 0, 0, None]]
    while rows:
        row = rows[-1]
        for value in row[0]:
            row[1] += _NODE
            if isinstance(value, (*_SCALARS, bytearray)):
                continue
            # An array or a tensor.
            if hasattr(value, 'nbytes'):
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
    """The content of a pickle of plain data and numpy arrays; the file's position is then after its end.

    Args:
        file (BinaryIO): The open file, which can seek.
        names (Mapping, optional): (module, name) -> its replacement, beside :data:`PLAIN_NAMES`. The file may
            call it with any arguments, so it must check them. An object that gets a state derives from
            :class:`StandIn`.
        encoding (str): Of text of Python 2, as in :func:`pickle.load`.
        max_bytes (int, optional): The largest file that is read.
        persistent (Callable, optional): Returns the object of a persistent id; None = such an id is refused.

    Returns:
        Any: None, bool, int, float, str, bytes, list, tuple, dict, set, read-only ndarray, and objects of
            ``names``.

    Raises:
        PickleRefused: It needs another name or opcode, or is too large or too deep. Nothing was run.
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
    except (PickleRefused, PickleDamaged, OSError):
        raise
    except EOFError as error:
        raise PickleDamaged('cut short: it ends before its last opcode') from error
    except Exception as error:
        # A damaged pickle raises almost anything.
        raise PickleDamaged(f'{type(error).__name__}: {error}') from error
    return content


def safe_load(file: BinaryIO) -> Any:
    """The content of a pickle of plain data and numpy arrays, see :func:`load`.

    Raises:
        ValueError: It needs another name, holds other than plain data, is too large for its bytes, or is
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
        # An array reserves the length of the longest text for each.
        if longest * len(value) > 1 << 28:
            raise UserValueError(
                f'{len(value)} texts, one of them of {longest} characters, are no list of names'
            )
    array = np.asarray(value)
    if array.dtype.kind == 'O':
        raise UserValueError(f'{type(value).__name__} found where an array is expected')
    return array
