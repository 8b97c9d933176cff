"""Recognises windows of a pose stream, and merges their scores into segments."""

from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..layouts import Layout, get_layout
from .backends import withhold
from .clips import PoseClip, as_array, why_no_answer


class Segment(NamedTuple):
    """A sign in time.

    Attributes:
        start (float): In the unit of the merger's windows: frames or steps.
        end (float): In the same unit, exclusive.
        label (int): The class.
        score (float): The highest score of its windows.
    """

    start: float
    end: float
    label: int
    score: float


def sliding_windows(frames: int, window: int, stride: int) -> List[Tuple[int, int]]:
    """Windows (start, end) of a clip, one every ``stride`` frames, and a last one that ends with the clip.

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
    """Checks that windows leave no gaps.

    Raises:
        ValueError: ``window`` or ``stride`` is below 1, or the stride is longer than the window.
    """
    if window < 1 or not 1 <= stride <= window:
        raise UserValueError(
            f'window of {window} frames every {stride}: both must be at least 1, and the stride '
            'not longer than the window'
        )


class HysteresisMerger:
    """Merges the scores of overlapping windows, in order of time, into segments. (Not in the paper.)

    A segment opens at the first window whose best gloss reaches ``enter``. It begins where that gloss last
    rose to ``leave``, but not before the end of the previous segment. It ends when its score falls below
    ``leave`` or another gloss reaches ``enter``. So segments never overlap, and a score that wavers about one
    threshold makes one segment, not many.

    Each window stands for the time around its centre, ``stride`` long: see :meth:`push`.

    Args:
        enter (float): In (0, 1].
        leave (float): In (0, enter].
        ignore (Sequence[int]): Classes that are no signs, such as rest. They end a segment and open none.

    Raises:
        ValueError: A threshold is outside its range.
    """

    def __init__(self, enter: float = 0.6, leave: float = 0.3, ignore: Sequence[int] = ()) -> None:
        if not 0 < leave <= enter <= 1:
            raise UserValueError(
                f'hysteresis: 0 < leave <= enter <= 1 is needed, got enter={enter}, leave={leave}'
            )
        self.enter, self.leave, self.ignore = enter, leave, list(ignore)
        # (C,): where each class's run of windows at or above `leave` began; inf = no run.
        self._since: Optional[np.ndarray] = None
        # End of the last closed segment.
        self._floor = -np.inf
        self._open: Optional[Segment] = None

    @property
    def current(self) -> Optional[Segment]:
        """The open segment, up to the last window; None where there is none."""
        return self._open

    def push(self, start: float, end: float, scores: np.ndarray) -> List[Segment]:
        """Adds one window.

        Args:
            start (float): Start of the time that the window stands for: the previous window's ``end``.
            end (float): End of that time.
            scores (ndarray): Shape (C,) in [0, 1]; all 0 = nothing is signed.

        Returns:
            list[Segment]: The segment that this window has ended, if any.
        """
        scores = np.asarray(scores, dtype=np.float64).copy()
        best_of_all = int(scores.argmax())
        rest = best_of_all in self.ignore and scores[best_of_all] >= self.enter
        # From here on the ignored classes cannot win.
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
        """Ends the open segment, at ``end`` if that is given.

        Returns:
            list[Segment]: The segment, if one was open.
        """
        if self._open is None:
            return []
        segment = self._open if end is None else self._open._replace(end=end)
        self._open, self._floor = None, segment.end
        return [segment]


class StreamEvent(NamedTuple):
    """Result of one window.

    Times are in steps of 1 / ``fps`` since the first frame. If frames come evenly, steps are frames.

    Attributes:
        start (int): Start of the window.
        end (int): End of the window, exclusive.
        scores (ndarray): Shape (classes,); all 0 where there is no answer.
        attention (ndarray, optional): Shape (L, 2), the head's weights at ``frames``.
        frames (ndarray): Shape (L,), indices of frames in the stream.
        segments (list[Segment]): Those that this window has ended, in steps.
        current (Segment, optional): The open segment.
        reason (str): Why there is no answer: the window shows nobody, no hand, or none of the signs; '' where
            there is one.
        unknown (float, optional): See :class:`Rejection`; None where the model is not calibrated.
    """

    start: int
    end: int
    scores: np.ndarray
    attention: Optional[np.ndarray]
    frames: np.ndarray
    segments: List[Segment]
    current: Optional[Segment]
    reason: str = ''
    unknown: Optional[float] = None


class StreamRecognizer:
    """Takes poses one by one, and every ``stride`` steps recognises those of the last ``window`` steps.

    A step is 1 / ``fps``. :meth:`push` takes one pose a step. :meth:`push_at` takes each with its time, so
    that windows have the right length also where frames come unevenly.

    Args:
        predict (Callable): ``(clips) -> list of dict`` with ``scores``, ``attention`` and ``frames``: a
            backend's ``predict``.
        layout (str | Layout): Of the poses.
        image_size (Sequence[int]): Width and height in pixels.
        window (int): Steps.
        stride (int): Steps between windows.
        merger (HysteresisMerger): Makes segments of the windows.
        fps (float): Steps a second; 0 = unknown, and then only :meth:`push` works.
        name (str): For messages.

    Raises:
        ValueError: ``window`` or ``stride`` is wrong, see :func:`check_window`.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[PoseClip]], List[Dict[str, Any]]],
        layout: Union[str, Layout],
        image_size: Sequence[int],
        window: int,
        stride: int,
        merger: HysteresisMerger,
        fps: float = 0.0,
        name: str = '',
    ) -> None:
        check_window(window, stride)
        self.predict, self.layout, self.image_size = predict, get_layout(layout), image_size
        self.fps, self.name = fps, name
        self.window, self.stride, self.merger = window, stride, merger
        # The last poses, each with its step.
        self._poses: Deque[Tuple[int, np.ndarray]] = deque()
        # Scores of a window without frames. Their number is known after the first prediction.
        self._zeros = np.zeros(0)
        # Time of the first frame, step of the last one, and where the next window ends.
        self._begin, self._step, self._due = 0.0, -1, window
        # Where the last window ended, and up to where segments are decided.
        self._done, self._boundary = 0, 0.0
        self.count, self._person, self._hand = 0, False, False

    def push(self, pose: np.ndarray) -> Optional[StreamEvent]:
        """Adds one frame.

        Args:
            pose (ndarray): Shape (V, 3): x, y in pixels, score, 0 = missing.

        Returns:
            StreamEvent, optional: The result, if this frame completes a window.

        Raises:
            ValueError: The pose has another shape.
        """
        events = self._push(pose, self._step + 1)
        return events[0] if events else None

    def push_at(self, pose: np.ndarray, time: float) -> List[StreamEvent]:
        """Adds one frame of a stream whose frames have times.

        Args:
            pose (ndarray): As for :meth:`push`.
            time (float): Seconds, never less than the previous frame's. The first frame's is step 0.

        Returns:
            list[StreamEvent]: Results of the windows that are complete; several after a pause.
        """
        self._begin = self._begin if self.count else time
        return self._push(pose, round((time - self._begin) * self.fps))

    def _push(self, pose: np.ndarray, step: int) -> List[StreamEvent]:
        events = []
        # Windows that ended before this frame do not contain it.
        while self._due <= step:
            events.append(self._window())
        self._poses.append((step, self._checked(pose)))
        self._drop_before(step + 1 - self.window)
        self._step, self.count = step, self.count + 1
        if self._due == step + 1:
            events.append(self._window())
        return events

    def _checked(self, pose: np.ndarray) -> np.ndarray:
        pose, joints = as_array(f'{self.name or "stream"}: frame {self.count}', pose), self.layout.num_joints
        if pose.ndim != 2 or len(pose) != joints or pose.shape[1] not in (2, 3):
            raise UserValueError(
                f'{self.name or "stream"}: frame {self.count}: a pose of shape {pose.shape} found; give '
                f'({joints}, 3): x and y in pixels '
                f'and the score of each joint of {self.layout.name}'
            )
        return pose

    def _window(self) -> StreamEvent:
        """Recognises the window that is due. It stands for the time around its centre."""
        event = self._recognise(self._due, self._due - self.window / 2 + self.stride / 2)
        self._due += self.stride
        return event

    def finish(self) -> Optional[StreamEvent]:
        """Ends the stream: recognises the frames after the last window, and closes the open segment.

        Returns:
            StreamEvent, optional: None where no frames are left and no segment is open.
        """
        end = self.length
        if end > self._done:
            event = self._recognise(end, float(end))
            return event._replace(segments=event.segments + self.merger.close(), current=None)
        segments = self.merger.close(float(end))
        if not segments:
            return None
        return StreamEvent(end, end, np.zeros(0), None, np.zeros(0, np.int64), segments, None)

    @property
    def begin(self) -> float:
        """Time of the first frame, as :meth:`push_at` got it."""
        return self._begin

    @property
    def length(self) -> int:
        """Steps so far."""
        return self._step + 1

    @property
    def frame_rate(self) -> float:
        """Frames a second so far, by their times; ``fps`` if they come evenly."""
        if self._step < 1 or self.length == self.count:
            return self.fps
        return (self.count - 1) * self.fps / self._step

    @property
    def reason(self) -> str:
        """Why nothing could be recognised so far; '' where a window showed a hand."""
        return why_no_answer(self.count, self._person, self._hand)

    def _drop_before(self, step: int) -> None:
        while self._poses and self._poses[0][0] < step:
            self._poses.popleft()

    def _recognise(self, end: int, until: float) -> StreamEvent:
        start = max(0, end - self.window)
        self._drop_before(start)
        scores, attention, frames = self._zeros, None, np.zeros(0, np.int64)
        reason, unknown = why_no_answer(0, False, False), None
        if self._poses:
            poses = np.stack([pose for _, pose in self._poses])
            clip = PoseClip.make(poses, self.layout, self.image_size, fps=self.fps, name=self.name)
            row = withhold(clip, *self.predict([clip]))
            scores, attention, reason = row['scores'], row['attention'], row['reason']
            unknown = row.get('unknown')
            # Positions in the window become positions in the stream.
            frames = row['frames'] + self.count - len(poses)
            self._zeros = np.zeros_like(scores)
            self._person |= bool(clip.scores.any())
            self._hand |= bool(clip.hands_found().any())
        segments = self.merger.push(self._boundary, until, scores)
        self._boundary, self._done = until, end
        current = self.merger.current
        return StreamEvent(start, end, scores, attention, frames, segments, current, reason, unknown)


def steps_of(clip: PoseClip) -> np.ndarray:
    """The step of each of a clip's frames, as :meth:`StreamRecognizer.push_at` counts: (T,) int64."""
    if clip.times is None:
        return np.arange(len(clip))
    return np.rint((clip.times - clip.times[0]) * clip.fps).astype(np.int64)


def merge_windows(
    windows: Sequence[Tuple[int, int]], scores: np.ndarray, window: int, stride: int, merger: HysteresisMerger
) -> List[Segment]:
    """Merges all windows of a clip into segments, with the same result as a stream.

    Args:
        windows (Sequence[tuple[int, int]]): :func:`sliding_windows` for ``window`` and ``stride``.
        scores (ndarray): Shape (windows, classes).
        window, stride (int): Steps.
        merger (HysteresisMerger): One that no window was pushed to.
    """
    segments: List[Segment] = []
    boundary = 0.0
    for (_, end), row in zip(windows, scores):
        # The last window may be irregular. It stands for all the time that is left.
        regular = end >= window and (end - window) % stride == 0
        until = end - window / 2 + stride / 2 if regular else float(end)
        segments += merger.push(boundary, until, row)
        boundary = until
    return segments + merger.close(float(windows[-1][1]))
