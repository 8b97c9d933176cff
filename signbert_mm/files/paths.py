"""Names that come from data, and the paths that they become."""

import hashlib
import os
import unicodedata
from typing import Any, Union

from ..errors import UserValueError

# Of a file name on the usual file systems, and of a name in a store.
MAX_NAME_BYTES = 255
# Of a name that is too long for a file.
_KEPT_BYTES = 200
# Control characters, line and paragraph separators.
_NOT_PRINTED = ('Cc', 'Zl', 'Zp')


def check_text(text: Any, what: str, empty: bool = False) -> None:
    """Refuses what is no text of one line.

    Args:
        text (Any): The name.
        what (str): How the message calls it.
        empty (bool): Whether '' is a name, too.

    Raises:
        ValueError: It is no string, empty, longer than 255 bytes of UTF-8, or holds control characters.
    """
    if not isinstance(text, str):
        raise UserValueError(
            f'{what} is {text!r:.80}, a {type(text).__name__}; give text of 1 to {MAX_NAME_BYTES} bytes'
        )
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise UserValueError(f'{what} is {text!r:.80}, which is not UTF-8; rename it') from None
    if size > MAX_NAME_BYTES or (not text and not empty):
        raise UserValueError(
            f'{what} is {text!r:.80}, which has {size} bytes; give text of 1 to {MAX_NAME_BYTES} bytes'
        )
    if any(unicodedata.category(letter) in _NOT_PRINTED for letter in text):
        raise UserValueError(
            f'{what} is {text!r:.80}; give text without NUL, line ends and other control characters'
        )


def check_name(name: Any, what: str) -> None:
    """Refuses a name that is not a path below a folder; '/' separates folders, as in ``gloss/clip``.

    Raises:
        ValueError: As :func:`check_text`; it begins with '/', or a part of it is empty, '.' or '..'.
    """
    check_text(name, what)
    if any(part in ('', '.', '..') for part in name.split('/')):
        raise UserValueError(
            f"{what} is {name!r:.80}; give a relative path without '.', '..' and empty parts"
        )


def path_below(
    folder: Union[str, 'os.PathLike[str]'], name: str, suffix: str = '', what: str = 'name'
) -> str:
    """The path of ``<name><suffix>`` in a folder, which it cannot leave.

    A part that is too long for a file system is cut. It gets eight hex digits of the name's hash, so that
    names stay distinct.

    Args:
        folder (str | Path): The folder.
        name (str): From data; '/' separates folders.
        suffix (str): Of the file.
        what (str): How messages call the name.

    Raises:
        ValueError: As :func:`check_name`.
    """
    check_name(name, what)
    *folders, last = name.split('/')
    if len(f'{last}{suffix}'.encode()) > MAX_NAME_BYTES:
        kept = last.encode()[:_KEPT_BYTES].decode(errors='ignore')
        last = f'{kept}~{hashlib.blake2b(last.encode(), digest_size=4).hexdigest()}'
    return os.path.join(os.fspath(folder), *folders, last + suffix)
