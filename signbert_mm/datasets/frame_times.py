"""Times of frames: of videos with a variable frame rate, and of those whose picture begins late."""

from typing import Any, Mapping, Optional, Tuple

import numpy as np

# Of a store's notes: the time of each whole video's first frame in its file, in seconds, by its id.
STARTS = 'video_starts'


def first_frame_time(meta: Mapping[str, Any], video_id: str) -> Optional[float]:
    """Seconds from a video's time 0 at its first frame, by a store's ``meta``; None = it does not say."""
    starts = (meta.get('notes') or {}).get(STARTS)
    start = starts.get(video_id) if isinstance(starts, dict) else None
    known = isinstance(start, (int, float)) and not isinstance(start, bool) and 0 <= start < float('inf')
    return float(start) if known else None


def uneven_times(times: np.ndarray, fps: float) -> Optional[np.ndarray]:
    """Returns the times since the first frame if the rate is uneven, else None.

    It is uneven if a frame is more than half a frame away from its time at a constant rate.

    Args:
        times (ndarray): Shape (T,) seconds, never decreasing.
        fps (float): The constant rate, frames per second; 0 = unknown, which gives None.

    Returns:
        ndarray, optional: Shape (T,) float32, seconds.
    """
    times = np.asarray(times, dtype=np.float64)
    if len(times) < 2 or not fps:
        return None
    times = times - times[0]
    even = np.arange(len(times)) / fps
    return times.astype(np.float32) if np.abs(times - even).max() > 0.5 / fps else None


def mean_rate(times: np.ndarray) -> float:
    """Mean frames per second; 0 where the times give no rate."""
    return (
        float((len(times) - 1) / (times[-1] - times[0])) if len(times) > 1 and times[-1] > times[0] else 0.0
    )


def frames_between(times: np.ndarray, start: Optional[float], end: Optional[float]) -> Tuple[int, int]:
    """Returns the range of frames shown from ``start`` to ``end``, rounded to the nearest frames.

    Args:
        times (ndarray): Shape (T,) seconds since the first frame.
        start, end (float, optional): Seconds; None = the first frame, and the end.

    Returns:
        tuple[int, int]: The first frame and the one behind the last. Both may lie behind the video's end,
        where frames are counted at its mean rate.
    """
    times = np.asarray(times, dtype=np.float64)
    rate = mean_rate(times) or 25.0
    step = float(times[-1] - times[-2]) if len(times) > 1 and times[-1] > times[-2] else 1 / rate
    # The last frame is shown as long as the one before it.
    borders = np.append(times, times[-1] + step)

    def nearest(moment: float) -> int:
        if moment > borders[-1]:
            return len(times) + round((moment - borders[-1]) * rate)
        # A moment belongs to the nearest frame start, so the midpoints between starts divide.
        return int(np.searchsorted((borders[1:] + borders[:-1]) / 2, moment, side='right'))

    first = 0 if start is None else nearest(start)
    # At least one frame, however close start and end are.
    return first, len(times) if end is None else max(first + 1, nearest(end))
