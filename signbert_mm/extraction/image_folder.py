"""Reads a folder of numbered images as a video."""

import os
from typing import Iterator, List, Optional, Union

import numpy as np

from ..errors import UserValueError
from ..extras import need
from ..files.folders import IMAGE_SUFFIXES, ImageSequence, image_sequence
from .frames import Frame, VideoError, check_reading, resample


class ImageFolderReader:
    """Streams a folder of numbered images as :class:`VideoReader` does a video.

    Frames are RGB and upright by EXIF, with one in memory at a time. Images of another size than the first
    are scaled to it. 16 bits become 8, and transparency is dropped. An image that cannot be read is skipped
    and counted.

    Args:
        path (str | Path): The folder, see :func:`~signbert_mm.files.folders.image_sequence`.
        fps (float, optional): Resample to this rate, which needs ``image_fps``; None = every image.
        truncated (str): For a folder whose numbers have gaps: 'error', or 'keep' to read the images that
            exist. Numbers in even steps (0, 5, 10, ..), or as uneven as times are, have no gaps.
        image_fps (float): Images a second; 0 = unknown.

    Attributes:
        width, height, fps, frames, damaged, start: As of :class:`VideoReader`. Where ``image_fps`` is 0, so
            is ``fps``, and frames get times as at 25 a second.

    Raises:
        VideoError: It is no such folder, numbers are missing or repeated, no image can be read, or ``fps``
            comes without ``image_fps``.
        ValueError: An option has no such value.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike],
        fps: Optional[float] = None,
        truncated: str = 'error',
        image_fps: float = 0.0,
    ) -> None:
        check_reading(fps, truncated)
        if not 0 <= image_fps < float('inf'):
            raise UserValueError(f'image_fps is {image_fps}; give images a second, 0 = unknown')
        self.path = os.fspath(path)
        self._names = self._check(image_sequence(os.listdir(self.path)), truncated)
        if fps and not image_fps:
            raise VideoError(
                f'{self.path}: images have no rate, so they cannot be resampled to {fps:g} a '
                'second; give theirs (--image-fps)'
            )
        self._target, self._rate = fps, image_fps
        self.fps, self.frames, self.damaged = float(fps or image_fps), len(self._names), 0
        self.start = 0.0
        first = next(iter(self._frames()), None)
        if first is None:
            raise VideoError(
                f'{self.path}: none of its {len(self._names)} images can be read; get them '
                'again or leave the folder out'
            )
        self.height, self.width = first.image.shape[:2]

    def _check(self, sequence: ImageSequence, truncated: str) -> List[str]:
        names = sequence.names
        if not names:
            raise VideoError(
                f'{self.path}: a folder, and not one of numbered images ({sequence.reason}): two or more of '
                f'{" ".join(sorted(IMAGE_SUFFIXES))}, named alike but for one number, and no video'
            )
        # Python's integers, since file names may hold numbers beyond 64 bits.
        numbers = np.array(sequence.numbers, dtype=object)
        steps = np.diff(numbers)
        if not steps.all():
            place = int(np.flatnonzero(steps == 0)[0])
            raise VideoError(
                f'{self.path}: {names[place]} and {names[place + 1]} have the same number; remove one of them'
            )
        # A gap is a multiple of the smallest step. If any step is no multiple, the numbers are times.
        gaps = np.flatnonzero((steps != steps.min()) & (not (steps % steps.min()).any()))
        if len(gaps) and truncated == 'error':
            raise VideoError(
                f'{self.path}: truncated: between {names[gaps[0]]} and {names[gaps[0] + 1]} numbers are left '
                f'out ({len(gaps)} such gaps); get the '
                "images again, or read what is there with truncated='keep' (--truncated keep)"
            )
        return names

    def _frames(self) -> Iterator[Frame]:
        cv2 = need('cv2', 'reading images', 'extract')
        self.damaged, size = 0, None
        for place, name in enumerate(self._names):
            image = cv2.imread(os.path.join(self.path, name), cv2.IMREAD_COLOR)
            if image is None:
                self.damaged += 1
                continue
            size = size or image.shape[1::-1]
            if image.shape[1::-1] != size:
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), place / (self._rate or 25.0))

    def __iter__(self) -> Iterator[Frame]:
        return self._frames() if self._target is None else resample(self._frames(), self._target)

    def close(self) -> None:
        """Nothing is open between frames."""

    def __enter__(self) -> 'ImageFolderReader':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f'ImageFolderReader({self.path!r}: {self.frames} images, {self.width} x {self.height}, '
            f'{self.fps:.3g} fps)'
        )
