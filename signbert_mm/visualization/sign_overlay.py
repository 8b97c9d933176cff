"""Frames of a video with skeleton, confidence of the hands, best glosses and attention over time."""

from typing import List, Optional, Sequence, Tuple, Union

import cv2
import numpy as np

from ..layouts import Layout, get_layout
from .canvas import blank, draw_text, shortened, smoothly
from .draw_pose import draw_pose
from .palette import ACCENT, GHOST, INK, LINE, QUIET, SIDES, faded

_PANEL, _MARGIN = 340, 18
_MAX_HEIGHT, _MAX_WIDTH = 640, 900
_HANDS = (('left_hand', 'left'), ('right_hand', 'right'))
Bars = Sequence[Tuple[str, float]]
Span = Tuple[float, float, str]


def attention_over_time(frames: int, pieces: Sequence[Tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Interpolates the head's weights of sampled frames to all frames, for pictures.

    Args:
        frames (int): Number of frames, T.
        pieces (Sequence[tuple]): For each window the positions (L,) and their weights (L, 2). Overlapping
            windows are averaged.

    Returns:
        ndarray: Shape (T, 2), linear between sampled frames; 0 outside all windows.
    """
    total, count = np.zeros((frames, 2)), np.zeros((frames, 1))
    for positions, weights in pieces:
        if not len(positions):
            continue
        at, row = np.unique(positions, return_inverse=True)
        summed = np.zeros((len(at), 2))
        # A short clip has frames more than once, and their weights add up.
        np.add.at(summed, row, weights)
        # Between its first and last sampled frame a window counts, beyond them it says nothing.
        span = np.arange(at[0], at[-1] + 1)
        total[span] += np.stack([np.interp(span, at, summed[:, hand]) for hand in (0, 1)], -1)
        count[span] += 1
    return total / np.maximum(count, 1)


class SignOverlay:
    """Draws frames of one video: the frame on the left, the answer beside it, time below.

    Args:
        width, height (int): Size of the video in pixels.
        layout (str | Layout): Layout of the poses.
        frames (int): Number of frames of the video; 0 = unknown (a camera), and time is not drawn.
        attention (ndarray, optional): Shape (frames, 2), see :func:`attention_over_time`.
        segments (Sequence[tuple]): Signs in time: start and end in frames, and text.
        title (str): Above the answer.
        fps (float): Frames per second, to label the ends of the time; 0 = unknown, and they have no label.
    """

    def __init__(
        self,
        width: int,
        height: int,
        layout: Union[str, Layout],
        frames: int = 0,
        attention: Optional[np.ndarray] = None,
        segments: Sequence[Span] = (),
        title: str = '',
        fps: float = 0.0,
    ) -> None:
        self.fps, self._torso = fps, self._joints(layout)
        self.layout, self.frames, self.attention = get_layout(layout), frames, attention
        self.segments, self.title = segments, title
        self.scale = min(_MAX_HEIGHT / height, _MAX_WIDTH / width)
        self.size = max(1, round(width * self.scale)), max(1, round(height * self.scale))
        self._height = max(self.size[1], 420)
        self._strip_height = (132 if segments else 110) if frames else 0
        # The strip is the same for every frame, so it is drawn once.
        self._strip = None if not frames else self._draw_strip()

    @property
    def shape(self) -> Tuple[int, int]:
        """Height and width of the pictures of :meth:`draw`."""
        return self._height + self._strip_height, self.size[0] + _PANEL

    def draw(
        self,
        image: np.ndarray,
        pose: np.ndarray,
        bars: Bars,
        place: int = 0,
        caption: str = '',
        quiet: bool = False,
    ) -> np.ndarray:
        """Draws one frame.

        Args:
            image (ndarray): Shape (H, W, 3) uint8 RGB.
            pose (ndarray): Shape (V, 3): x, y in pixels of ``image``, score; 0 = missing.
            bars (Sequence[tuple]): Text and share in [0, 1], best first; at most seven are drawn.
            place (int): Number of the frame in the video.
            caption (str): Below the bars, for instance the open segment.
            quiet (bool): Draw the bars in grey, as when no hand is present.

        Returns:
            ndarray: Shape (*shape, 3) uint8 RGB.
        """
        height, width = self.shape
        canvas = blank(height, width)
        picture = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
        points = pose[:, :2] * self.scale
        # A view of the canvas, so that drawing on it changes the canvas.
        view = canvas[: self.size[1], : self.size[0]]
        view[:] = picture
        thickness = self._thickness(points, pose[:, 2])
        smoothly(
            view,
            lambda big, factor: draw_pose(big, factor * points, pose[:, 2], self.layout, factor * thickness),
            2,
        )
        self._panel(canvas, pose, bars, caption, quiet)
        if self._strip is not None:
            canvas[self._height :] = self._strip
            # A line marks the current time; + 0.5 is the middle of the frame.
            x = self._x(place + 0.5)
            cv2.line(canvas, (x, self._height + 6), (x, height - 22), INK, 2, cv2.LINE_AA)
        return canvas

    @staticmethod
    def _joints(layout: Union[str, Layout]) -> List[int]:
        """Indices of shoulders and hips, or [] if the layout lacks one."""
        names = get_layout(layout).joints
        torso = [f'{side}_{joint}' for joint in ('shoulder', 'hip') for side in ('left', 'right')]
        return [names.index(name) for name in torso] if set(torso) <= set(names) else []

    def _thickness(self, points: np.ndarray, scores: np.ndarray) -> float:
        """Thickness of bones in pixels: a share of the picture, and less for a small signer."""
        default = max(1.0, min(self.size) / 110)
        if not self._torso or not (scores[self._torso] > 0).all():
            return default
        # The signer's size: shoulder width, or for a signer seen from the side the length of the trunk.
        left, right, low_left, low_right = points[self._torso]
        size = max(np.linalg.norm(left - right), np.linalg.norm(left + right - low_left - low_right) / 2)
        return float(np.clip(size / 60, 0.8, default))

    def _panel(self, canvas: np.ndarray, pose: np.ndarray, bars: Bars, caption: str, quiet: bool) -> None:
        left, right = self.size[0] + _MARGIN, canvas.shape[1] - _MARGIN
        y = 26
        draw_text(canvas, shortened(self.title, right - left, 15, True), left, y, 15, INK, 'lm', bold=True)
        y += 34
        for rank, (text, share) in enumerate(bars[:7]):
            color = GHOST if quiet or rank else ACCENT
            draw_text(
                canvas,
                shortened(text, right - left - 70, 14, not rank),
                left,
                y,
                14,
                QUIET if quiet else INK,
                'lm',
                bold=not rank,
            )
            draw_text(canvas, f'{100 * share:.0f} %', right, y, 13, QUIET, 'rm')
            cv2.rectangle(canvas, (left, y + 12), (right, y + 20), faded(LINE, 0.5), -1)
            cv2.rectangle(
                canvas,
                (left, y + 12),
                (left + round((right - left) * float(np.clip(share, 0, 1))), y + 20),
                color,
                -1,
            )
            y += 44
        if caption:
            draw_text(canvas, shortened(caption, right - left, 14), left, y + 4, 14, INK, 'lm')
        y = self._height - 66
        for part, side in _HANDS:
            if part in self.layout.parts:
                self._confidence(canvas, side, pose[list(self.layout.parts[part]), 2], left, right, y)
                y += 34

    @staticmethod
    def _confidence(canvas: np.ndarray, side: str, scores: np.ndarray, left: int, right: int, y: int) -> None:
        present = scores > 0
        draw_text(canvas, f'{side} hand', left, y, 13, SIDES[side] if present.any() else QUIET, 'lm')
        edge = left + 92
        cv2.rectangle(canvas, (edge, y - 5), (right - 84, y + 5), faded(LINE, 0.5), -1)
        if not present.any():
            draw_text(canvas, 'not found', right, y, 12, QUIET, 'rm')
            return
        mean = float(scores[present].mean())
        cv2.rectangle(
            canvas, (edge, y - 5), (edge + round((right - 84 - edge) * mean), y + 5), SIDES[side], -1
        )
        draw_text(canvas, f'{mean:.2f}, {int(present.sum())}/21', right, y, 12, QUIET, 'rm')

    def _x(self, frame: float) -> int:
        """Column of a frame in the strip."""
        left, right = _MARGIN + 84, self.size[0] + _PANEL - _MARGIN
        return int(round(left + (right - left) * frame / max(self.frames, 1)))

    def _draw_strip(self) -> np.ndarray:
        """Draws the attention of both hands, and the segments, over time."""
        canvas = blank(self._strip_height, self.size[0] + _PANEL)
        left, right = self._x(0), self._x(self.frames)
        tallest = max(float(self.attention.max()), 1e-12) if self.attention is not None else 1.0
        for row, (hand, side) in enumerate(((1, 'right'), (0, 'left'))):
            base, tall = 44 + 40 * row, 34
            draw_text(canvas, f'{side} hand', left - 8, base - tall / 2, 12, QUIET, 'rm')
            if self.attention is not None:
                xs = [self._x(frame + 0.5) for frame in range(self.frames)]
                ys = base - np.round(tall * self.attention[:, hand] / tallest).astype(int)
                # A filled curve, closed along the base line.
                outline = np.array([[left, base], *zip(xs, ys), [right, base]], dtype=np.int32)
                cv2.fillPoly(canvas, [outline], faded(SIDES[side], 0.75), cv2.LINE_AA)
            cv2.line(canvas, (left, base), (right, base), LINE, 1)
        for start, end, text in self.segments:
            # Two pixels between neighbouring segments, and at least one for a short segment.
            a, b = self._x(start), max(self._x(end) - 2, self._x(start) + 1)
            cv2.rectangle(canvas, (a, 92), (b, 110), faded(ACCENT, 0.35), -1)
            draw_text(
                canvas,
                shortened(text, max(b - a - 6, 1), 12) if b - a > 20 else '',
                a + 4,
                101,
                12,
                INK,
                'lm',
            )
        draw_text(canvas, 'signs' if self.segments else '', left - 8, 101, 12, QUIET, 'rm')
        seconds = f', 0 to {self.frames / self.fps:.1f} s' if self.fps else ''
        draw_text(canvas, f'attention over time{seconds}', left, self._strip_height - 11, 11, QUIET, 'lm')
        return canvas


def bars_of(glosses: Sequence[str], scores: Sequence[float]) -> List[Tuple[str, float]]:
    """Pairs glosses with their scores for :meth:`SignOverlay.draw`."""
    return list(zip(glosses, scores))
