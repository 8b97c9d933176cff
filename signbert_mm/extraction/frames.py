"""What readers of videos and of image folders share: frames, reading options, resampling."""

from typing import Iterable, Iterator, NamedTuple, Optional

import numpy as np

from ..errors import UserRuntimeError, UserValueError


class VideoError(UserRuntimeError):
    """A file that cannot be read completely as a video.

    The message names the file, what was found and what to do.
    """


class Frame(NamedTuple):
    """One frame of a video.

    ``image`` has shape (H, W, 3) uint8, RGB, upright. ``time`` is in seconds and never decreases. It counts
    from the time 0 of the file, as players do, which may lie before the first frame.
    """

    image: np.ndarray
    time: float


def check_reading(fps: Optional[float], truncated: str) -> None:
    """Refuses values of the reading options that have no meaning.

    Raises:
        ValueError: ``fps`` is not positive, or ``truncated`` is unknown.
    """
    if fps is not None and not 0 < fps < float('inf'):
        raise UserValueError(f'fps is {fps}; give frames a second, or None for every frame')
    if truncated not in ('error', 'keep'):
        raise UserValueError(f"truncated is {truncated!r}; choose 'error' or 'keep'")


def resample(frames: Iterable[Frame], fps: float) -> Iterator[Frame]:
    """The nearest frame at each multiple of ``1 / fps`` after the first one, up to the last.

    Two frames are in memory at a time.

    Args:
        frames (Iterable[Frame]): In order of time, at any rate.
        fps (float): Frames a second of the result. Frames are left out, or repeated where the source has
            fewer.

    Yields:
        Frame: With its time in the even grid.
    """
    previous, start, step = None, 0.0, 0
    for frame in frames:
        if previous is None:
            start = frame.time
        else:
            # Up to halfway between two frames, the earlier one is nearer.
            middle = (previous.time + frame.time) / 2
            while start + step / fps < middle:
                yield previous._replace(time=start + step / fps)
                step += 1
        previous = frame
    # The last frame is used for half a step more. The small constant absorbs rounding of times.
    while previous is not None and start + step / fps < previous.time + 0.5 / fps - 1e-6:
        yield previous._replace(time=start + step / fps)
        step += 1
