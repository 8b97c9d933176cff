"""Frames into a video file."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Optional, Type, Union

import numpy as np

from ..errors import UserModuleNotFoundError, UserValueError
from .canvas import check_canvas


class VideoWriter:
    """Writes RGB frames through PyAV, as H.264 in whatever container the file's ending says; a context
    manager.

    Args:
        path (str | Path): For instance 'out.mp4'; folders are made.
        fps (float): Frames a second.

    Raises:
        ModuleNotFoundError: PyAV is not installed.
        ValueError: ``fps`` is not positive.
    """

    def __init__(self, path: Union[str, Path], fps: float) -> None:
        try:
            import av
        except ModuleNotFoundError as error:
            raise UserModuleNotFoundError('writing videos needs PyAV: pip install "av>=14"') from error
        if not 0 < fps < float('inf'):
            raise UserValueError(f'{path}: fps is {fps}; give frames a second')
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._av, self._container = av, av.open(str(self.path), 'w')
        self._rate, self._stream = Fraction(fps).limit_denominator(1001), None

    def write(self, image: np.ndarray) -> None:
        """One frame.

        Args:
            image (ndarray): Shape (H, W, 3) uint8 RGB, the same for all; an odd last row or column is cut
                off, since the codec halves both.
        """
        height, width = (size // 2 * 2 for size in check_canvas(image).shape[:2])
        if self._stream is None:
            self._stream = self._container.add_stream(
                'libx264', rate=self._rate, options=dict(crf='20', preset='veryfast')
            )
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, 'yuv420p'
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format='rgb24')
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finishes the file."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()
