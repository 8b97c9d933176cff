"""Times of frames, where a video's rate is uneven."""

from typing import Optional, Tuple

import numpy as np


def uneven_times(times: np.ndarray, fps: float) -> Optional[np.ndarray]:
    """The times from the first frame on, where one of them is more than half a frame from its even place;
    else None.

    Args:
        times (ndarray): Shape (T,) seconds, never decreasing.
        fps (float): Frames a second at which the frames are counted otherwise; 0 = unknown, and then times
            say nothing.

    Returns:
        ndarray, optional: Shape (T,) float32.
    """
    times = np.asarray(times, dtype=np.float64)
    if len(times) < 2 or not fps:
        return None
    times = times - times[0]
    even = np.arange(len(times)) / fps
    return times.astype(np.float32) if np.abs(times - even).max() > 0.5 / fps else None


def mean_rate(times: np.ndarray) -> float:
    """Frames a second of some frames; 0 where they tell none."""
    return (
        float((len(times) - 1) / (times[-1] - times[0])) if len(times) > 1 and times[-1] > times[0] else 0.0
    )


def frames_between(times: np.ndarray, start: Optional[float], end: Optional[float]) -> Tuple[int, int]:
    """The frames shown from ``start`` to ``end``, each end to the nearest frame.

    Args:
        times (ndarray): Shape (T,) seconds from the first frame on.
        start, end (float, optional): Seconds; None = the first frame, and behind the last one.

    Returns:
        tuple[int, int]: The first frame and the one behind the last. Both may lie behind the video's end,
        where frames are counted at its mean rate.
    """
    times = np.asarray(times, dtype=np.float64)
    rate = mean_rate(times) or 25.0
    step = float(times[-1] - times[-2]) if len(times) > 1 and times[-1] > times[-2] else 1 / rate
    borders = np.append(times, times[-1] + step)  # the last frame is shown as long as the one before it

    def nearest(moment: float) -> int:
        if moment > borders[-1]:
            return len(times) + round((moment - borders[-1]) * rate)
        return int(np.searchsorted((borders[1:] + borders[:-1]) / 2, moment, side='right'))

    first = 0 if start is None else nearest(start)
    return first, len(times) if end is None else max(first + 1, nearest(end))
