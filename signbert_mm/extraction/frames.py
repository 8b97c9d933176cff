"""Frames, streamed: what readers of videos and of image folders share."""

from typing import Iterable, Iterator, NamedTuple, Optional

import numpy as np

from ..errors import UserRuntimeError, UserValueError


class VideoError(UserRuntimeError):
    """A file that cannot be read as a whole video; the message names the file, what was found and what to
    do.
    """


class Frame(NamedTuple):
    """One frame: ``image`` of shape (H, W, 3) uint8 RGB, upright; ``time`` in seconds from the stream's zero,
    never decreasing.
    """

    image: np.ndarray
    time: float


def check_reading(fps: Optional[float], truncated: str) -> None:
    """Refuses options that mean nothing.

    Raises:
        ValueError: ``fps`` is not positive, or ``truncated`` is unknown.
    """
    if fps is not None and not 0 < fps < float('inf'):
        raise UserValueError(f'fps is {fps}; give frames a second, or None for every frame')
    if truncated not in ('error', 'keep'):
        raise UserValueError(f"truncated is {truncated!r}; choose 'error' or 'keep'")


def resample(frames: Iterable[Frame], fps: float) -> Iterator[Frame]:
    """The nearest frame at each multiple of ``1 / fps`` after the first one, up to the last; holds two
    frames.

    Args:
        frames (Iterable[Frame]): In order of time, at any rate.
        fps (float): Frames a second that come out: frames are left out, or repeated where the source has
            fewer.

    Yields:
        Frame: With the time of its place in the even grid.
    """
    previous, begin, place = None, 0.0, 0
    for frame in frames:
        if previous is None:
            begin = frame.time
        else:
            middle = (previous.time + frame.time) / 2
            while begin + place / fps < middle:
                yield previous._replace(time=begin + place / fps)
                place += 1
        previous = frame
    # the last frame serves half a step on
    while previous is not None and begin + place / fps < previous.time + 0.5 / fps - 1e-6:
        yield previous._replace(time=begin + place / fps)
        place += 1
