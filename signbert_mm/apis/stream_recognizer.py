"""Signs in an endless stream of poses, in constant memory."""

from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ..layouts import Layout, get_layout
from .pose_clip import PoseClip
from .windows import HysteresisMerger, Segment, check_window


class StreamEvent(NamedTuple):
    """What one window says.

    Attributes:
        start (int): First frame of the window.
        end (int): The frame after its last.
        scores (ndarray): Shape (classes,); all 0 where the window shows no hand.
        attention (ndarray, optional): Shape (L, 2), the head's weights, of ``frames``.
        frames (ndarray): Shape (L,), positions in the stream.
        segments (list[Segment]): Those that this window has ended, in frames.
        current (Segment, optional): The one that is open.
    """

    start: int
    end: int
    scores: np.ndarray
    attention: Optional[np.ndarray]
    frames: np.ndarray
    segments: List[Segment]
    current: Optional[Segment]


class StreamRecognizer:
    """Takes poses one by one, keeps the last ``window`` of them, and recognises every ``stride`` frames.

    Args:
        predict (Callable): ``(clips) -> list of dict`` with ``scores``, ``attention`` and ``frames``: a backend's ``predict``.
        layout (str | Layout): Of the poses.
        image_size (Sequence[int]): Width and height in pixels.
        window (int): Frames.
        stride (int): Frames between windows.
        merger (HysteresisMerger): Makes segments of the windows.
        fps (float): Frames a second; 0 = unknown.
        name (str): For messages.

    Raises:
        ValueError: Window and stride do not fit.
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
        self.predict, self.layout, self.image_size, self.fps, self.name = predict, get_layout(layout), image_size, fps, name
        self.window, self.stride, self.merger = window, stride, merger
        self._poses: Deque[np.ndarray] = deque(maxlen=window)
        self.count, self._told, self._boundary = 0, 0, 0.0

    def push(self, pose: np.ndarray) -> Optional[StreamEvent]:
        """One more frame.

        Args:
            pose (ndarray): Shape (V, 3): x, y in pixels, score, 0 = missing.

        Returns:
            StreamEvent, optional: Where a window is full.
        """
        self._poses.append(np.asarray(pose))
        self.count += 1
        due = self.count >= self.window and (self.count - self.window) % self.stride == 0
        return self._recognise(self._centre_end()) if due else None

    def finish(self) -> Optional[StreamEvent]:
        """The stream has ended: one window over its last frames, where the ones before left any, and the open segment ends with it.

        Returns:
            StreamEvent, optional: None where the last window ended with the stream and no segment is open.
        """
        if self.count > self._told:
            event = self._recognise(float(self.count))
            return event._replace(segments=event.segments + self.merger.close(), current=None)
        segments = self.merger.close(float(self.count))
        if not segments:
            return None
        return StreamEvent(self.count, self.count, np.zeros(0), None, np.zeros(0, np.int64), segments, None)

    def _centre_end(self) -> float:
        """End of the time that a window over the last frames stands for."""
        return self.count - self.window / 2 + self.stride / 2

    def _recognise(self, until: float) -> StreamEvent:
        start = max(0, self.count - self.window)
        clip = PoseClip.make(np.stack(self._poses), self.layout, self.image_size, fps=self.fps, name=self.name)
        (found,) = self.predict([clip])
        scores = found['scores'] if clip.hands_found().any() else np.zeros_like(found['scores'])
        segments = self.merger.push(self._boundary, until, scores)
        self._boundary, self._told = until, self.count
        return StreamEvent(start, self.count, scores, found['attention'], found['frames'] + start, segments, self.merger.current)


def merge_windows(windows: Sequence[Tuple[int, int]], scores: np.ndarray, window: int, stride: int, merger: HysteresisMerger) -> List[Segment]:
    """Segments of windows that are all there at once; the same as a stream gives.

    Args:
        windows (Sequence[tuple[int, int]]): As :func:`sliding_windows` makes them of ``window`` and ``stride``.
        scores (ndarray): Shape (windows, classes).
        window, stride (int): Frames.
        merger (HysteresisMerger): Fresh.
    """
    segments: List[Segment] = []
    boundary = 0.0
    for (_, end), row in zip(windows, scores):
        regular = end >= window and (end - window) % stride == 0
        until = end - window / 2 + stride / 2 if regular else float(end)
        segments += merger.push(boundary, until, row)
        boundary = until
    return segments + merger.close(float(windows[-1][1]))
