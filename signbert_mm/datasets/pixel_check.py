"""The check that coordinates are pixels, used wherever poses enter.

Those are the store's writer, importers, training data sets and inference.
"""

from typing import Optional, Sequence, Tuple

import numpy as np

from ..errors import UserValueError

# A clip with fewer present joints is too short to judge.
FEW = 8
# Fractions of the image lie in 0..1 or -1..1, and some joints a little outside.
LARGEST_FRACTION = 2.0
# Share of the image's longer side. A clip whose joints all lie this near to the corner is in another unit.
CORNER = 0.02
# Pixels. A smaller image size is not a real one.
SMALLEST_IMAGE = 16
# Image sizes. Joints further away were multiplied by something.
FAR = 16
# Shares of the present joints that make a clip suspect.
OUTSIDE = 0.5
# Likewise, left of the image or above it.
NEGATIVE = 0.4
# Share of the image by which a joint may lie left of it or above it.
MARGIN = 0.05


class UnitError(UserValueError):
    """Coordinates that are not pixels of the image."""


class PixelCheck:
    """Collects a clip's poses, in pieces where it is long, and tells whether they can be pixels of its image.

    Args:
        width, height (int, optional): Image size in pixels; None = unknown, and then only fractions are
            detected.
    """

    def __init__(self, width: Optional[int] = None, height: Optional[int] = None) -> None:
        known = width is not None and height is not None and min(width, height) >= SMALLEST_IMAGE
        self.size: Optional[Tuple[int, int]] = (int(width), int(height)) if known else None
        self.found = self.far = self.outside = self.negative = 0
        self.low, self.high = np.inf, -np.inf
        # All numbers are integers, which pixels may be and fractions are not.
        self.integral = True

    def add(self, keypoints: np.ndarray, scores: np.ndarray) -> 'PixelCheck':
        """Adds some frames.

        Args:
            keypoints (ndarray): Shape (.., 2), finite numbers.
            scores (ndarray): Shape (..); joints without a score above 0 do not count.
        """
        points = keypoints[scores > 0]  # (N, 2)
        if not len(points):
            return self
        self.found += len(points)
        self.low, self.high = min(self.low, float(points.min())), max(self.high, float(points.max()))
        self.integral = self.integral and bool((points == np.rint(points)).all())
        if self.size is not None:
            size = np.asarray(self.size, dtype=np.float32)
            self.far += int((np.abs(points) > FAR * size).any(axis=-1).sum())
            self.outside += int(((points < 0) | (points > size)).any(axis=-1).sum())
            self.negative += int((points < -MARGIN * size).any(axis=-1).sum())
        return self

    def problem(self, remedy: str = 'multiply x by the width and y by the height of the image') -> str:
        """Returns why these are not pixels and what to do, or '' if they can be pixels.

        Args:
            remedy (str): What to do with fractions of the image.
        """
        if self.found < FEW:
            return ''
        image = f' in an image of {self.size[0]} x {self.size[1]} pixels' if self.size else ''
        span = f'coordinates run from {self.low:.3g} to {self.high:.3g}{image}'
        # Integers such as 0 and 1 can be pixels of a tiny image, so they are not taken for fractions.
        largest = np.inf if self.integral else max(abs(self.low), abs(self.high))
        # Fractions in 0..1 can be converted; with clearly negative ones the origin is unknown.
        if largest <= LARGEST_FRACTION and self.low >= -MARGIN:
            return f'no coordinate is above {self.high:.3g}{image}, so these are not pixels; {remedy}'
        if largest <= LARGEST_FRACTION or (self.size and largest <= CORNER * max(self.size)):
            return f'{span}, so these are normalised, not pixels; give the poses as they were before that'
        if self.far > OUTSIDE * self.found:
            share = f'{self.far / self.found:.0%} of the joints lie more than {FAR} images away'
            return (
                f'{span}, {share}, so these are not its pixels; were pixels multiplied by the image size? '
                'Give pixels, and the width and height of their image'
            )
        if self.negative > NEGATIVE * self.found:
            share = f'{self.negative / self.found:.0%} of the joints lie left of the image or above it'
            return f'{span}, {share}; give pixels that count from the upper left corner'
        return ''

    def refuse(self, where: str, remedy: str = '') -> None:
        """Raises an error if these are not pixels.

        Args:
            where (str): How messages name the clip.
            remedy (str): What to do with fractions, if the caller has an option for them.

        Raises:
            UnitError: The message gives the range of the coordinates, the image size and the remedy.
        """
        problem = self.problem(remedy) if remedy else self.problem()
        if problem:
            raise UnitError(f'{where}: {problem}')


def check_pixels(
    where: str, keypoints: np.ndarray, scores: np.ndarray, image_size: Sequence[int], remedy: str = ''
) -> None:
    """Refuses a whole clip that is not in pixels.

    Args:
        where (str): How messages name the clip.
        keypoints (ndarray): Shape (T, V, 2), finite numbers.
        scores (ndarray): Shape (T, V), 0 = missing.
        image_size (Sequence[int]): Width and height in pixels.
        remedy (str): As for :meth:`PixelCheck.refuse`.

    Raises:
        UnitError: As :meth:`PixelCheck.refuse`.
    """
    PixelCheck(*image_size).add(keypoints, scores).refuse(where, remedy)
