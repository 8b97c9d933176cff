"""A bar for what takes longer than two seconds."""

import shutil
import sys
import time
from typing import Optional, TextIO

_WIDTH = 24
# Seconds before a bar appears, and between two lines in a log.
_PATIENCE, _LOG_EVERY = 2.0, 30.0


class ProgressBar:
    """One line that shows how much is done and how long the rest takes.

    It appears after two seconds. A terminal shows it in place, a log gets a line twice a minute.

    Args:
        stream (TextIO, optional): Default: stderr.
    """

    def __init__(self, stream: Optional[TextIO] = None) -> None:
        self._stream = stream or sys.stderr
        self._tty = self._stream.isatty()
        self._what, self._begin, self._last, self._shown = '', 0.0, 0.0, False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Shows ``done`` of ``total`` (0 = unknown); another ``what`` begins another bar."""
        now = time.monotonic()
        if what != self._what:
            self.close()
            self._what, self._begin, self._last = what, now, now
        pause = 0.2 if self._tty else _LOG_EVERY
        if now - self._begin < _PATIENCE or (now - self._last < pause and done != total):
            return
        self._last, self._shown = now, True
        width = shutil.get_terminal_size((100, 20)).columns - 1
        text = self.line(done, total, now - self._begin)
        # ``\\r`` goes back to the start of the line, ``ESC [K`` clears it.
        self._stream.write(f'\r\033[K{text[:width]}' if self._tty else f'{text}\n')
        self._stream.flush()

    def line(self, done: int, total: int, passed: float) -> str:
        """The text of the bar."""
        if not total:
            return f'{self._what}: {done}, {passed:.0f} s'
        full = min(_WIDTH, _WIDTH * done // total)
        rest = passed / done * max(0, total - done) if done else 0.0
        bar = '#' * full + '.' * (_WIDTH - full)
        return f'{self._what} [{bar}] {done}/{total}, {rest:.0f} s to go'

    def close(self) -> None:
        """Ends the line."""
        if self._shown and self._tty:
            self._stream.write('\n')
            self._stream.flush()
        self._what, self._shown = '', False
