"""A writer of video files."""

from fractions import Fraction
from pathlib import Path
from typing import Union

import numpy as np

from ..errors import UserModuleNotFoundError, UserValueError
from .canvas import check_canvas


class VideoWriter:
    """A context manager that writes RGB frames through PyAV.

    The codec is H.264, in the container of the file's ending.

    Args:
        path (str | Path): For instance 'out.mp4'; its folders are made.
        fps (float): Frames per second.

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
        # Video containers store the rate as a fraction; 30000/1001 is exact with this limit.
        self._rate, self._stream = Fraction(fps).limit_denominator(1001), None

    def write(self, image: np.ndarray) -> None:
        """Writes one frame.

        Args:
            image (ndarray): Shape (H, W, 3) uint8 RGB, the same for all frames. An odd last row or column is
                cut off.
        """
        # yuv420p stores colours at half the size, so both sides must be even.
        height, width = (size // 2 * 2 for size in check_canvas(image).shape[:2])
        if self._stream is None:
            self._stream = self._container.add_stream(
                'libx264', rate=self._rate, options=dict(crf='20', preset='veryfast')
            )
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, 'yuv420p'
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format='rgb24')
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Writes the frames that the codec still holds, and closes the file."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
