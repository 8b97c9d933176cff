"""From a probability for each frame to signs in time."""

from typing import List, NamedTuple

import numpy as np


class FoundSign(NamedTuple):
    """A sign in time.

    Attributes:
        start (int): Its first frame.
        end (int): The frame after its last one.
        score (float): Mean probability in [0, 1] that its frames are not outside of a sign.
    """

    start: int
    end: int
    score: float


def decode_segments(
    probabilities: np.ndarray, threshold: float = 0.5, begin: float = 0.5, min_frames: int = 3
) -> List[FoundSign]:
    """Signs in order of time; they never overlap.

    A sign is a run of frames in which 1 - P(outside) reaches ``threshold``. Within a run another sign begins
    where P(begin) reaches ``begin`` and is the highest of its neighbours, at least ``min_frames`` after the
    start of the one before it.

    Args:
        probabilities (ndarray): Shape (T, 3), of outside, begin and inside.
        threshold, begin (float): In (0, 1].
        min_frames (int): Shorter signs are left out.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    signed = 1 - probabilities[:, 0]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], signed >= threshold, [0]]).astype(np.int64)))
    opens = np.pad(probabilities[:, 1], 1)
    peaks = (opens[1:-1] >= begin) & (opens[1:-1] > opens[:-2]) & (opens[1:-1] >= opens[2:])
    found = []
    for first, last in edges.reshape(-1, 2).tolist():
        starts = [first]
        for frame in (first + np.flatnonzero(peaks[first:last])).tolist():
            if frame - starts[-1] >= min_frames and last - frame >= min_frames:
                starts.append(frame)
        for start, end in zip(starts, [*starts[1:], last]):
            if end - start >= min_frames:
                found.append(FoundSign(start, end, float(signed[start:end].mean())))
    return found
