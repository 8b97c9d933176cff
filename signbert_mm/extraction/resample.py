"""Resamples a stream of frames to an even rate."""

from typing import TYPE_CHECKING, Iterable, Iterator

if TYPE_CHECKING:
    from .video_reader import Frame


def resample(frames: Iterable['Frame'], fps: float) -> Iterator['Frame']:
    """The nearest frame at each multiple of ``1 / fps`` after the first one, up to the last.

    Two frames are in memory at a time.

    Args:
        frames (Iterable[Frame]): In order of time, at any rate.
        fps (float): Frames a second of the result. Frames are left out, or repeated where the source has
            fewer.

    Yields:
        Frame: With its time in the even grid.
    """
    previous, begin, place = None, 0.0, 0
    for frame in frames:
        if previous is None:
            begin = frame.time
        else:
            # Up to halfway between two frames, the earlier one is nearer.
            middle = (previous.time + frame.time) / 2
            while begin + place / fps < middle:
                yield previous._replace(time=begin + place / fps)
                place += 1
        previous = frame
    # The last frame is used for half a step more. The small constant absorbs rounding of times.
    while previous is not None and begin + place / fps < previous.time + 0.5 / fps - 1e-6:
        yield previous._replace(time=begin + place / fps)
        place += 1
