"""Reading annotation files so that whatever is wrong with them is named with its file and line."""

import csv
import json
import os
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

SPLITS = ('train', 'val', 'test')


def find_file(root: str, names: Sequence[str], what: str, needed: bool = True) -> str:
    """The file of one of these names in ``root`` or below, the one nearest to ``root``; '' where there is none and it is not ``needed``.

    Raises:
        FileNotFoundError: ``root`` or the file is not there; says which names were looked for.
    """
    if not os.path.isdir(root):
        raise FileNotFoundError(f'{os.path.abspath(root)}: no such folder; give the folder of the download')
    found: List[Tuple[int, int, str]] = []
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        depth = os.path.relpath(folder, root).count(os.sep) + (folder != root)
        found += [(names.index(name), depth, os.path.join(folder, name)) for name in files if name in names]
    if not found and needed:
        raise FileNotFoundError(f'{os.path.abspath(root)}: {what} is absent; looked for {" or ".join(names)} there and below')
    return min(found)[2] if found else ''


def read_json(path: str, kind: type) -> Any:
    """The content of a JSON file, which must be of ``kind`` (dict or list).

    Raises:
        ValueError: It is not JSON (the line is named), of another kind, or an object has a key twice (both lines are named).
    """
    text = _read(path)

    def pairs(items: List[Tuple[str, Any]]) -> Dict[str, Any]:
        content = dict(items)
        if len(content) < len(items):
            keys = [key for key, _ in items]
            twice = next(key for key in keys if keys.count(key) > 1)
            lines = [number for number, line in enumerate(text.splitlines(), 1) for _ in range(line.count(f'{json.dumps(twice)}:'))]
            raise _RepeatedKeyError(f'{path}: {twice!r} is listed twice: lines {" and ".join(map(str, lines[:4]))}; remove one of them')
        return content

    try:
        content = json.loads(text, object_pairs_hook=pairs)
    except _RepeatedKeyError as error:
        raise ValueError(str(error)) from None
    except ValueError as error:
        line = getattr(error, 'lineno', 1)
        shown = text.splitlines()[line - 1 : line] or ['']
        raise ValueError(f'{path}: line {line} is not JSON ({error}): {shown[0].strip()[:80]!r}; get the file again or correct that line') from error
    if not isinstance(content, kind):
        raise ValueError(f'{path}: a {type(content).__name__} found, a {kind.__name__} expected; this is another file')
    return content


def json_entries(path: str) -> Iterator[Tuple[str, dict]]:
    """``(place, entry)`` of a list of objects; the place is 'NAME line 7' where the file has an entry a line, else 'NAME entry 7'.

    Raises:
        ValueError: As :func:`read_json`, or an entry is not an object.
    """
    entries = read_json(path, list)
    lines = sum(1 for line in _read(path).splitlines() if line.strip(' []\t'))
    word = 'line' if lines == len(entries) else 'entry'
    for number, entry in enumerate(entries, 1):
        where = f'{os.path.basename(path)} {word} {number}'
        if not isinstance(entry, dict):
            raise ValueError(f'{path}: {where}: {entry!r} found; an object expected')
        yield where, entry


def json_field(entry: dict, name: str, kinds: Union[type, Tuple[type, ...]], where: str) -> Any:
    """One field of an entry.

    Raises:
        ValueError: It is absent or of another type.
    """
    if name not in entry:
        raise ValueError(f'{where}: field {name!r} is absent; found {sorted(entry)[:20]}')
    value = entry[name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise ValueError(f'{where}: field {name!r} is {value!r}, a {type(value).__name__}; get the file again or correct it')
    return value


def csv_rows(path: str, columns: Sequence[str], header: Optional[bool] = True) -> Iterator[Tuple[str, List[str]]]:
    """``(place, values)`` of each row, the values of ``columns`` in that order, stripped; the place is 'NAME line 7'. Empty lines are passed over.

    Args:
        path (str): The file.
        columns (Sequence[str]): Names of the header that are wanted.
        header (bool, optional): False = there is none and the columns come in this order; None = the first line is one if it has these names.

    Raises:
        ValueError: A column is absent, or a line has another number of fields; the line is named.
    """
    places: Optional[List[int]] = list(range(len(columns))) if header is False else None
    fields = len(columns)
    reader = csv.reader(_read(path).splitlines())
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f'{path}: line {reader.line_num}: {error}; correct that line') from error
        row = [value.strip() for value in row]
        if not any(row):
            continue
        if places is None:
            absent = [name for name in columns if name not in row]
            if absent and header:
                raise ValueError(f'{path}: line {reader.line_num}: columns {row} found; absent: {absent}')
            places = list(range(len(columns))) if absent else [row.index(name) for name in columns]
            fields = fields if absent else len(row)
            if not absent:
                continue
        if len(row) != fields or not all(row[place] for place in places):
            raise ValueError(f'{path}: line {reader.line_num}: {row} found; expected {fields} fields with {", ".join(columns)}; correct that line')
        yield f'{os.path.basename(path)} line {reader.line_num}', [row[place] for place in places]


def whole_number(text: str, name: str, where: str) -> int:
    """``text`` as a number.

    Raises:
        ValueError: It is none.
    """
    if not text.isdecimal():
        raise ValueError(f'{where}: {name} is {text!r}; a whole number expected')
    return int(text)


def _read(path: str) -> str:
    try:
        with open(path, encoding='utf-8-sig') as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not UTF-8 text ({error}); save it as UTF-8') from error


class _RepeatedKeyError(Exception):
    """Not a ValueError, so that it is not taken for one of JSON's."""
