"""Readers of annotation files, whose errors name the file and the line."""

import math
import os
from typing import Any, Iterator, List, Sequence, Tuple, Union

from ...errors import UserValueError
from ...files.folders import walk
from ...files.text import csv_rows, read_json, read_text

SPLITS = ('train', 'val', 'test')


def find_file(root: str, names: Sequence[str], what: str, needed: bool = True) -> str:
    """The file of one of these names in ``root`` or below, nearest to ``root``; '' = none, if not ``needed``.

    Earlier names win over later ones.

    Raises:
        FileNotFoundError: ``root`` or the file is absent; the message has the names.
        ValueError: Two such files are equally near; the message names both.
    """
    if not os.path.isdir(root):
        raise FileNotFoundError(f'{os.path.abspath(root)}: no such folder; give the folder of the download')
    matches: List[Tuple[int, int, str]] = []
    for folder in walk(root):
        relative = os.path.relpath(folder.path, root)
        depth = 0 if relative == os.curdir else relative.count(os.sep) + 1
        matches += [
            (names.index(name), depth, os.path.join(folder.path, name))
            for name in folder.files
            if name in names
        ]
    if not matches and needed:
        raise FileNotFoundError(
            f'{os.path.abspath(root)}: {what} is absent; looked for {" or ".join(names)} there and below'
        )
    nearest = sorted(item for item in matches if item[:2] == min(matches)[:2])
    if len(nearest) > 1:
        raise UserValueError(
            f'{os.path.abspath(root)}: {what} is there {len(nearest)} times: {nearest[0][2]} and '
            f'{nearest[1][2]}; remove one of them, or give the folder that holds the right one'
        )
    return nearest[0][2] if nearest else ''


def json_entries(path: str) -> Iterator[Tuple[str, dict]]:
    """``(place, entry)`` of a list of objects; the place is 'NAME line 7' or 'NAME entry 7'.

    Raises:
        ValueError: As :func:`read_json`, or an entry is not an object.
    """
    entries = read_json(path, list)
    # With an entry a line, a line's number is that of its entry.
    lines = sum(1 for line in read_text(path).split('\n') if line.strip(' []\t'))
    word = 'line' if lines == len(entries) else 'entry'
    for number, entry in enumerate(entries, 1):
        where = f'{os.path.basename(path)} {word} {number}'
        if not isinstance(entry, dict):
            raise UserValueError(f'{path}: {where}: {entry!r} found; an object expected')
        yield where, entry


def json_field(entry: dict, name: str, kinds: Union[type, Tuple[type, ...]], where: str) -> Any:
    """One field of an entry.

    Raises:
        ValueError: It is absent, of another type, or not finite.
    """
    if name not in entry:
        raise UserValueError(f'{where}: field {name!r} is absent; found {sorted(entry)[:20]}')
    value = entry[name]
    wrong = not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)
    # Python's JSON takes NaN and Infinity.
    if wrong or (isinstance(value, float) and not math.isfinite(value)):
        raise UserValueError(
            f'{where}: field {name!r} is {value!r}, a {type(value).__name__}; get the file again or correct '
            'it'
        )
    return value


def whole_number(text: str, name: str, where: str) -> int:
    """``text`` as a whole number.

    Raises:
        ValueError: It is not one.
    """
    if not text.isdecimal():
        raise UserValueError(f'{where}: {name} is {text!r}; a whole number expected')
    return int(text)


__all__ = ['SPLITS', 'csv_rows', 'find_file', 'json_entries', 'json_field', 'read_json', 'whole_number']


def find_annotation(root: str, name: str, folder: str) -> str:
    """The path of ``name`` in ``root`` or its ``folder``; '' = absent.

    Raises:
        ValueError: It is in both.
    """
    places = os.path.join(root, folder, name), os.path.join(root, name)
    paths = [path for path in places if os.path.isfile(path)]
    if len(paths) > 1:
        raise UserValueError(f'{name} is there twice: {paths[0]} and {paths[1]}; remove one of them')
    return paths[0] if paths else ''
