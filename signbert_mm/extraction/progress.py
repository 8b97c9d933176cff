"""A progress line for an extraction."""

import sys
import time
from typing import Optional, TextIO


def clock(seconds: float) -> str:
    """``h:mm:ss``."""
    minutes, seconds = divmod(int(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02d}:{seconds:02d}'


class Progress:
    """Videos done, frames a second and the remaining time, as one line.

    A terminal shows it in place, a log gets a line a minute. The remaining time is estimated from the bytes
    of the finished and the unfinished files.

    Args:
        videos (int): How many there are to do.
        size (int): Their size in bytes.
        stream (TextIO, optional): Where to print. Default: stderr.
        shown (bool): False = print nothing.
    """

    def __init__(self, videos: int, size: int, stream: Optional[TextIO] = None, shown: bool = True) -> None:
        self.videos, self.size = videos, size
        self.done = self.failed = self.frames = self._bytes = 0
        self._stream = stream or sys.stderr
        self._shown = shown
        self._tty = self._stream.isatty()
        self._begin = self._last = time.monotonic()

    def add_frames(self, frames: int) -> None:
        self.frames += frames
        self._draw()

    def add_video(self, size: int, error: str = '') -> None:
        self.done += 1
        self.failed += bool(error)
        self._bytes += max(0, size)
        self._draw(self._tty or self.done == self.videos)

    def line(self) -> str:
        """The current line."""
        passed = time.monotonic() - self._begin
        speed = self.frames / passed if passed > 0 else 0.0
        # Bytes predict the time better than the number of videos, whose lengths differ.
        rest = (self.size - self._bytes) * passed / self._bytes if self._bytes else None
        failed = f', {self.failed} failed' if self.failed else ''
        remains = '?' if rest is None else clock(rest)
        return (
            f'{self.done}/{self.videos} videos{failed}, {self.frames} frames, {speed:.1f} frames/s, '
            f'{clock(passed)} passed, {remains} to go'
        )

    def _draw(self, force: bool = False) -> None:
        now = time.monotonic()
        if not self._shown or not (force or now - self._last > (0.2 if self._tty else 60)):
            return
        self._last = now
        # ``\r`` goes back to the start of the line, ``ESC [K`` clears it.
        self._stream.write(f'\r\033[K{self.line()}' if self._tty else f'{self.line()}\n')
        self._stream.flush()

    def close(self) -> None:
        if self._shown and self._tty and self.videos:
            self._stream.write('\n')
            self._stream.flush()
