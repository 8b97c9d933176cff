"""Reads text that people write: label files, split lists, class lists, JSON."""

import codecs
import csv
import io
import json
import logging
import os
import unicodedata
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from ..errors import UserValueError
from ..logs import print_log
from .json import load_json

# Characters at the ends of a line that str.strip() keeps: byte order mark, zero width space, word joiner.
_INVISIBLE = '\ufeff\u200b\u2060'
_MARKS = {
    codecs.BOM_UTF32_LE: 'UTF-32',
    codecs.BOM_UTF32_BE: 'UTF-32',
    codecs.BOM_UTF16_LE: 'UTF-16',
    codecs.BOM_UTF16_BE: 'UTF-16',
}
_DELIMITERS = ',;\t'


def clean_text(text: str) -> str:
    """A name as it is compared and stored: Unicode NFC, without white space and invisible marks around it."""
    text = unicodedata.normalize('NFC', text)
    while text != (shorter := text.strip().strip(_INVISIBLE)):
        text = shorter
    return text


def alike_names(names: Iterable[str]) -> List[List[str]]:
    """Groups of names that differ in their capitals alone, in order."""
    groups: Dict[str, List[str]] = {}
    for name in sorted(set(names)):
        groups.setdefault(name.casefold(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def clean_path(name: str) -> str:
    """A path with each part, between '/', as :func:`clean_text` gives it."""
    return '/'.join(map(clean_text, name.split('/')))


def shown_name(name: Union[str, bytes, 'os.PathLike']) -> str:
    """A path that can be printed: bytes that are not UTF-8 appear as ``\\xe9``."""
    return os.fsencode(name).decode('utf-8', 'backslashreplace')


def is_utf8(name: str) -> bool:
    """Whether a file's name is UTF-8 on the disk."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_text(path: Union[str, 'os.PathLike'], encoding: str = 'utf-8') -> str:
    r"""A text file in Unicode NFC, without a byte order mark and with ``\n`` as the end of each line.

    Args:
        path (str | Path): The file.
        encoding (str): Of the file, if it is known to be another one than UTF-8.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is in another encoding; the message names the place, a likely encoding and the remedy.
    """
    with open(path, 'rb') as file:
        data = file.read()
    utf8 = codecs.lookup(encoding).name in ('utf-8', 'utf-8-sig')
    if utf8:
        data = data[len(codecs.BOM_UTF8) :] if data.startswith(codecs.BOM_UTF8) else data
        other = next((name for mark, name in _MARKS.items() if data.startswith(mark)), '')
        if not other and b'\0' in data:
            other = 'UTF-16 without a mark, or no text'
        if other:
            raise UserValueError(
                f'{shown_name(path)}: this is {other}, not UTF-8 text; {_remedy(path, other)}'
            )
    try:
        text = data.decode('utf-8' if utf8 else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        place = f'line {line}, byte {error.start} is 0x{data[error.start]:02x}'
        if not utf8:
            raise UserValueError(
                f'{shown_name(path)}: not {encoding} ({place}); give the encoding that it has'
            ) from None
        other = _likely_encoding(data)
        raise UserValueError(
            f'{shown_name(path)}: not UTF-8 text ({place}; it looks like {other}); {_remedy(path, other)}'
        ) from None
    return unicodedata.normalize('NFC', text.replace('\r\n', '\n').replace('\r', '\n'))


def _likely_encoding(data: bytes) -> str:
    """A guess from the bytes alone."""
    # Pairs of high bytes are taken for Chinese, single ones for Western European.
    high = sum(byte >= 0x80 for byte in data)
    try:
        wide = sum(character >= '\u2e80' for character in data.decode('gb18030'))
    except UnicodeDecodeError:
        wide = 0
    # An umlaut and the letter after it are read as one Chinese character, too, of one high byte.
    if 0.9 * high <= 2 * wide <= 1.1 * high and wide > 1:
        return 'GB18030'
    try:
        data.decode('cp1252')
    except UnicodeDecodeError:
        return 'ISO-8859-1'
    return 'Windows-1252'


def _remedy(path: Union[str, 'os.PathLike'], encoding: str) -> str:
    return f'save it as UTF-8, for instance: iconv -f {encoding.split()[0]} -t UTF-8 {shown_name(path)} > NEW'


def text_lines(path: Union[str, 'os.PathLike'], encoding: str = 'utf-8') -> List[Tuple[int, str]]:
    """``(line number from 1, text)`` of the lines that are not empty, each as :func:`clean_text` gives it.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_text`.
    """
    lines = enumerate(read_text(path, encoding).split('\n'), 1)
    return [(number, text) for number, line in lines if (text := clean_text(line))]


def read_glosses(path: Union[str, 'os.PathLike']) -> List[str]:
    """The lines of a file with one gloss a line, in the order of the labels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no gloss, a gloss twice, or an empty line between two glosses, which would shift
            the labels.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{os.path.abspath(path)}: no such file; it holds one gloss a line, in the order of the labels'
        )
    first: Dict[str, int] = {}
    for place, (number, gloss) in enumerate(text_lines(path), 1):
        if gloss in first:
            raise UserValueError(
                f'{path}: gloss {gloss!r} is listed twice: lines {first[gloss]} and {number}; remove one of '
                'them'
            )
        if number != place:
            raise UserValueError(
                f'{path}: line {number - 1} is empty, and a gloss follows it; the number of a line is its '
                'label, so remove the empty line or put its gloss there'
            )
        first[gloss] = number
    if not first:
        raise UserValueError(f'{path}: no glosses in it; write one a line, in the order of the labels')
    return list(first)


def table_rows(
    path: str, columns: Sequence[str], optional: Sequence[str] = (), header: Optional[bool] = True
) -> Iterator[Tuple[int, Dict[str, str]]]:
    """``(line number, values by column)`` of a csv file.

    Values are cleaned (:func:`clean_text`), and empty rows skipped. Fields are separated by a comma, or by a
    semicolon or a tab if the header is. Capitals in the header do not matter.

    Args:
        path (str): The file.
        columns (Sequence[str]): Required columns, with a value in each row.
        optional (Sequence[str]): Other columns that are read; '' where absent. If one is absent, columns that
            are not read are logged: it may be among them under another name.
        header (bool, optional): False = there is none, and ``columns`` are in this order. None = the first
            row is a header if it has these names.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The encoding is another one, a column is absent or repeated, a row has another number of
            fields or no value in one of ``columns``, or a quotation mark is not closed. The message names the
            line.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{os.path.abspath(path)}: no such file; it is a csv file with {", ".join(columns)}'
        )
    text = read_text(path)
    names, fields = list(columns), len(columns)
    delimiter = ',' if header is False else _delimiter(text, columns)
    # The next row may be the header.
    waits = header is not False
    for number, row in _csv_lines(path, text, delimiter):
        if waits:
            waits = False
            found = [value.casefold() for value in row]
            absent = [name for name in columns if name.casefold() not in found]
            if absent and header:
                more = f'; possible: {", ".join([*columns, *optional])}' if optional else ''
                needed = ', '.join(columns)
                raise UserValueError(
                    f'{path}: line {number}: columns {row} found; absent: {absent}; needed: {needed}{more}'
                )
            twice = sorted({name for name in (*columns, *optional) if found.count(name.casefold()) > 1})
            if twice:
                raise UserValueError(
                    f'{path}: line {number}: columns {twice} are there twice; remove one of them'
                )
            if not absent:
                known = {name.casefold(): name for name in (*columns, *optional)}
                names, fields = [known.get(name, '') for name in found], len(row)
                unread = [value for value, name in zip(row, names) if value and not name]
                possible = [name for name in optional if name not in names]
                if unread and possible:
                    print_log(
                        f'{path}: columns not read: {", ".join(unread)}; possible: {", ".join(possible)}',
                        logger='current',
                        level=logging.WARNING,
                    )
                continue
        row = _fitted(row, fields, pads=bool(optional))
        values = {name: value for name, value in zip(names, row) if name}
        empty = [name for name in columns if not values.get(name)]
        if len(row) != fields or empty:
            what = f', and something in {", ".join(empty)}' if len(row) == fields else ''
            raise UserValueError(
                f'{path}: line {number}: {row} found; expected {fields} fields with '
                f'{", ".join(columns)}{what}; correct that line'
            )
        yield number, {**dict.fromkeys(optional, ''), **values}


def _fitted(row: List[str], fields: int, pads: bool) -> List[str]:
    """The row without empty fields beyond the header's; with ``pads`` a shorter one is extended."""
    while len(row) > fields and not row[-1]:
        row = row[:-1]
    return row + [''] * (fields - len(row)) if pads else row


def _csv_lines(path: str, text: str, delimiter: str) -> Iterator[Tuple[int, List[str]]]:
    """Rows with a value in them, and the number of their last line."""
    # Without `strict`, a quotation mark that is not closed would take in the rest of the file.
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    begin = 1
    while True:
        try:
            row = [clean_text(value) for value in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise UserValueError(
                f'{path}: line {begin}: {error}; correct the quotation marks of that line'
            ) from error
        begin = reader.line_num + 1
        if any(row):
            yield reader.line_num, row


def _delimiter(text: str, columns: Sequence[str]) -> str:
    """The separator of the header's names; a comma if that is not clear."""
    first = next((line for line in text.split('\n') if clean_text(line)), '')
    wanted = {name.casefold() for name in columns}
    for delimiter in _DELIMITERS:
        if wanted <= {clean_text(name).strip('"').casefold() for name in first.split(delimiter)}:
            return delimiter
    return ','


def csv_rows(
    path: str, columns: Sequence[str], header: Optional[bool] = True
) -> Iterator[Tuple[str, List[str]]]:
    """``(place, values)`` of each row, the values of ``columns`` in that order; the place is 'NAME line 7'.

    Arguments and errors are those of :func:`table_rows`.
    """
    for number, row in table_rows(path, columns, header=header):
        yield f'{os.path.basename(path)} line {number}', [row[name] for name in columns]


def read_json(path: str, kind: Union[type, Tuple[type, ...]]) -> Any:
    """The content of a JSON file, which must be of ``kind`` (dict or list).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not JSON (the line is named), of another kind, or an object has a key twice (both
            lines are named).
    """
    text = read_text(path)

    def pairs(items: List[Tuple[str, Any]]) -> Dict[str, Any]:
        content = dict(items)
        if len(content) < len(items):
            keys = [key for key, _ in items]
            twice = next(key for key in keys if keys.count(key) > 1)
            wanted = f'{json.dumps(twice)}:'
            lines = [
                number for number, line in enumerate(text.split('\n'), 1) for _ in range(line.count(wanted))
            ]
            where = ' and '.join(map(str, lines[:4]))
            raise _RepeatedKeyError(f'{path}: {twice!r} is listed twice: lines {where}; remove one of them')
        return content

    try:
        content = load_json(text, pairs)
    except _RepeatedKeyError as error:
        raise UserValueError(str(error)) from None
    except ValueError as error:
        line = getattr(error, 'lineno', 1)
        shown = text.split('\n')[line - 1 : line] or ['']
        raise UserValueError(
            f'{path}: line {line} is not JSON ({error}): {shown[0].strip()[:80]!r}; get the file again or '
            'correct that line'
        ) from error
    if not isinstance(content, kind):
        wanted = ' or '.join(item.__name__ for item in (kind if isinstance(kind, tuple) else (kind,)))
        raise UserValueError(
            f'{path}: a {type(content).__name__} found, a {wanted} expected; this is another file'
        )
    return content


class _RepeatedKeyError(Exception):
    """Not a ValueError, so that it is not mistaken for one of JSON's."""
