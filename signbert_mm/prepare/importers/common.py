"""What the importers share."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, Optional

import numpy as np

from ...datasets.pose_store import PoseStore
from ...datasets.pose_store_writer import PoseStoreWriter
from ...errors import UserValueError
from ...files.text import clean_text


class UnreadableError(UserValueError):
    """One file cannot be read; a conversion continues with the others."""


@dataclass
class Clip:
    """One clip on its way into a :class:`PoseStoreWriter`; fields as in its ``add``."""

    keypoints: np.ndarray
    label: int
    split: str
    video_id: str
    width: int
    height: int
    signer: str = ''
    fps: float = 0.0
    times: Optional[np.ndarray] = None
    where: str = ''


def one_number(value: Any, what: str) -> float:
    """A single number of a file, such as its frames a second.

    Args:
        value (Any): A number, or an array of one.
        what (str): The file and the field, for the message.

    Raises:
        UnreadableError: It is no single number, below 0, or not finite.
    """
    try:
        number = float(np.asarray(value).item())
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0 <= number < float('inf'):
        shown = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        raise UnreadableError(f'{what} is {shown!r:.60}; expected one number, 0 or above')
    return number


def split_name(text: str) -> str:
    """A split's name: 'train', 'val' and 'test' in small letters, other names as they are."""
    text = clean_text(text)
    return text.casefold() if text.casefold() in ('train', 'val', 'test') else text


def signer_name(value: Any, where: str) -> str:
    """The signer of an annotation as text; '' = unknown, as which null and NaN count, too.

    Raises:
        ValueError: It is neither text nor a number; the message begins with ``where``.
    """
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return ''
    if isinstance(value, bool) or not isinstance(value, (str, int, float, np.number)):
        raise UserValueError(f'{where}: signer is {value!r:.60}; expected a name, a number, or no such field')
    return clean_text(str(value))


def check_spelling(splits: Iterable[str], where: str) -> None:
    """Refuses splits that differ in their capitals alone.

    Raises:
        ValueError: There are two such names; the message gives both.
    """
    first: Dict[str, str] = {}
    for split in splits:
        other = first.setdefault(split.casefold(), split)
        if other != split:
            raise UserValueError(
                f'{where}: splits {other!r} and {split!r} differ in their capitals alone; write one of them'
            )


def write_clips(writer: PoseStoreWriter, clips: Iterable[Clip]) -> PoseStore:
    """Adds all clips and closes the writer; an error leaves nothing behind."""
    with writer:
        for clip in clips:
            writer.add(**vars(clip))
        return writer.close()
