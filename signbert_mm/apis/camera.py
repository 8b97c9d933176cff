"""A camera as a stream of frames."""

import os
import time
from typing import TYPE_CHECKING, Any, Iterator, Optional

import numpy as np

from ..errors import UserValueError
from ..extras import need

if TYPE_CHECKING:
    from ..extraction import Frame


class Camera:
    """A camera as a stream of RGB frames, each with its time of arrival since the first.

    Args:
        number (int): OpenCV's number of the camera, from 0.
        seconds (float, optional): Ends after this time; None = never.

    Attributes:
        fps (float): The camera's nominal rate; 0 = unknown. Frames come more slowly where they are read too
            slowly.

    Raises:
        ValueError: The camera cannot be opened.
    """

    def __init__(self, number: int, seconds: Optional[float] = None) -> None:
        self.number, self.seconds = number, seconds
        self._cv2 = cv2 = need('cv2', 'reading a camera', 'extract')
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise UserValueError(
                f'camera {number} cannot be opened; check that it is connected, that no other '
                'program uses it, and its number'
            )
        self.width, self.height = (
            int(self._capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator['Frame']:
        from ..extraction import Frame

        start, first = time.monotonic(), None
        while self.seconds is None or time.monotonic() - start < self.seconds:
            success, image = self._capture.read()
            if not success:
                return
            now = time.monotonic()
            first = now if first is None else first
            yield Frame(self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB), now - first)

    def close(self) -> None:
        """Releases the camera."""
        self._capture.release()


def is_camera(source: Any) -> bool:
    """Whether ``source`` means a camera: an integer, or a text of digits that is no file."""
    if isinstance(source, str):
        return source.isdigit() and not os.path.exists(source)
    return isinstance(source, (int, np.integer)) and not isinstance(source, bool)
