"""Reads JSON from users, where nesting too deep and numbers too long are errors of the file; writes it."""

import json
import os
from typing import Any, Callable, List, Optional, Tuple, Union

from ..errors import UserTypeError, UserValueError
from .atomic import write_atomic

# Of an integer. The time to parse one grows with the square of its digits.
MAX_DIGITS = 4300


def load_json(
    text: Union[str, bytes], object_pairs_hook: Optional[Callable[[List[Tuple[str, Any]]], Any]] = None
) -> Any:
    """The content of a JSON text; ``object_pairs_hook`` as in ``json.loads``.

    Raises:
        ValueError: It is no JSON, nests too deep, or holds a whole number of more than 4,300 digits.
    """
    try:
        return json.loads(text, parse_int=_whole_number, object_pairs_hook=object_pairs_hook)
    except RecursionError:
        raise UserValueError('its lists nest too deep') from None
    except MemoryError:
        raise UserValueError(f'{len(text):,} bytes of JSON do not fit into memory') from None


def load_json_file(path: Union[str, 'os.PathLike[str]']) -> Any:
    """As :func:`load_json`, of a file in UTF-8; the message does not name it.

    Raises:
        OSError: The file cannot be read.
        ValueError: As for :func:`load_json`.
    """
    with open(path, 'rb') as file:
        return load_json(file.read())


def write_json(content: Any, path: Union[str, 'os.PathLike[str]'], indent: Optional[int] = None) -> None:
    """Writes JSON, whatever the file's ending, by :func:`write_atomic`; numbers of NumPy become plain ones.

    Raises:
        OSError: As :func:`write_atomic`.
        TypeError: JSON cannot hold a value.
    """
    write_atomic(json.dumps(content, indent=indent, default=_plain).encode(), path)


def _plain(value: Any) -> Any:
    if hasattr(value, 'tolist'):
        return value.tolist()
    raise UserTypeError(f'JSON cannot hold {value!r:.80}, a {type(value).__name__}')


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise UserValueError(f'it holds a whole number of {len(digits):,} digits')
    return int(digits)
