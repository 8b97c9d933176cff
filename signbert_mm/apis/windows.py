"""Windows over a long clip, and their scores merged into segments."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..errors import UserValueError


class Segment(NamedTuple):
    """A sign in time.

    Attributes:
        start (float): In the unit that was pushed: frames.
        end (float): Likewise, exclusive.
        label (int): The class.
        score (float): The highest of its windows.
    """

    start: float
    end: float
    label: int
    score: float


def sliding_windows(frames: int, window: int, stride: int) -> List[Tuple[int, int]]:
    """Windows (start, end) that cover ``frames``: every ``stride`` frames one of ``window``, and a last one
    that ends with the clip.

    A clip shorter than a window is one window.

    Raises:
        ValueError: A number is below 1, or the windows would leave gaps.
    """
    check_window(window, stride)
    if frames < 1:
        raise UserValueError(f'sliding_windows: {frames} frames; a clip has at least one')
    ends = list(range(window, frames + 1, stride))
    if not ends or ends[-1] < frames:
        ends.append(frames)
    return [(max(0, end - window), end) for end in ends]


def check_window(window: int, stride: int) -> None:
    """Refuses windows that leave gaps.

    Raises:
        ValueError: ``window`` or ``stride`` is below 1, or the stride is longer than the window.
    """
    if window < 1 or not 1 <= stride <= window:
        raise UserValueError(
            f'window of {window} frames every {stride}: both must be at least 1, and the stride '
            'not longer than the window'
        )


class HysteresisMerger:
    """Scores of overlapping windows, in order of time, become segments with two thresholds.

    A segment opens at the first window whose best gloss reaches ``enter``. It begins where that gloss last
    came to ``leave`` (not before the end of the segment before), and lasts until its score falls below
    ``leave`` or another gloss reaches ``enter``. So segments never overlap, and a score that trembles about
    one threshold makes one segment, not many. The memory is one number a class. (Not in the paper.)

    Each window stands for the time around its centre, ``stride`` long: see :meth:`push`.

    Args:
        enter (float): In (0, 1].
        leave (float): In (0, enter].
        ignore (Sequence[int]): Classes that are no signs (rest): they end a segment and open none.

    Raises:
        ValueError: The thresholds are not so.
    """

    def __init__(self, enter: float = 0.6, leave: float = 0.3, ignore: Sequence[int] = ()) -> None:
        if not 0 < leave <= enter <= 1:
            raise UserValueError(
                f'hysteresis: 0 < leave <= enter <= 1 is needed, got enter={enter}, leave={leave}'
            )
        self.enter, self.leave, self.ignore = enter, leave, list(ignore)
        # (C,) where the run of windows at or above `leave` began; inf = no run
        self._since: Optional[np.ndarray] = None
        self._floor = -np.inf  # end of the last closed segment
        self._open: Optional[Segment] = None

    @property
    def current(self) -> Optional[Segment]:
        """The segment that is open, up to the last window."""
        return self._open

    def push(self, start: float, end: float, scores: np.ndarray) -> List[Segment]:
        """One more window.

        Args:
            start (float): Where the time begins that the window stands for; the ``end`` of the one before.
            end (float): Where it ends.
            scores (ndarray): Shape (C,) in [0, 1]; all 0 = nothing is signed.

        Returns:
            list[Segment]: The segment that this window has ended, if any.
        """
        scores = np.asarray(scores, dtype=np.float64).copy()
        best_of_all = int(scores.argmax())
        rest = best_of_all in self.ignore and scores[best_of_all] >= self.enter
        scores[self.ignore] = 0
        if self._since is None:
            self._since = np.full(len(scores), np.inf)
        self._since = np.where(scores >= self.leave, np.minimum(self._since, start), np.inf)
        best, closed = int(scores.argmax()), []
        sure = scores[best] >= self.enter
        if self._open is not None and (
            scores[self._open.label] < self.leave or rest or (sure and best != self._open.label)
        ):
            closed = self.close()
        if self._open is not None:
            self._open = self._open._replace(
                end=end, score=max(self._open.score, float(scores[self._open.label]))
            )
        elif sure and not rest:
            self._open = Segment(max(float(self._since[best]), self._floor), end, best, float(scores[best]))
        return closed

    def close(self, end: Optional[float] = None) -> List[Segment]:
        """Ends the open segment, at ``end`` where the clip goes on after its last window's time."""
        if self._open is None:
            return []
        segment = self._open if end is None else self._open._replace(end=end)
        self._open, self._floor = None, segment.end
        return [segment]
