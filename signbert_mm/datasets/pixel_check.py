"""The check that coordinates are pixels, used wherever poses enter.

Those are the store's writer, importers, training data sets and inference.
"""

from typing import Optional, Tuple

import numpy as np

from ..errors import UserValueError
from ..layouts import Layout

# Pixels. No image is that wide, and joints may lie somewhat outside of one.
MAX_COORDINATE = 100_000
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
    """Collects a clip's poses, in pieces if it is long, and decides whether they can be pixels of its image.

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
        # (N, 2)
        points = keypoints[scores > 0]
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


def check_keypoints(
    where: str,
    keypoints: np.ndarray,
    layout: Layout,
    first: int = 0,
    unit: Optional[PixelCheck] = None,
) -> np.ndarray:
    """A clip's numbers as float32, a copy, scores above 1 as 1.

    Args:
        where (str): How messages name the clip.
        keypoints (ndarray): Shape (T, V, 3): x and y in pixels, score; see :meth:`PoseStoreWriter.add`.
        layout (Layout): What the joints are.
        first (int): Which frame of the clip the first one is, for messages.
        unit (PixelCheck, optional): Of the clip; the frames are added to it. Of coordinates that no image has
            it says first whether the clip is in another unit.

    Raises:
        UnitError: Coordinates that no image has are in another unit.
        ValueError: Wrong shape or joint count, no frames, a number that is not finite, a negative score, a
            coordinate that no image has; the message names the frame and the joint.
    """
    keypoints = np.asarray(keypoints)
    if keypoints.ndim != 3 or keypoints.shape[-1] != 3 or keypoints.dtype.kind not in 'fiu':
        raise UserValueError(
            f'{where}: keypoints are {keypoints.dtype} of shape {keypoints.shape}; give numbers '
            'of shape (T, V, 3): x, y, score'
        )
    layout.check_joints(keypoints.shape[1], where)
    if len(keypoints) == 0:
        raise UserValueError(f'{where}: no frames; a clip has at least one (leave this clip out)')
    # (T, V, 3), a copy
    values = np.array(keypoints, dtype=np.float32, order='C')
    if not np.isfinite(values).all():
        frame, joint, axis = np.argwhere(~np.isfinite(values))[0]
        raise UserValueError(
            f'{where}: frame {first + frame}, joint {joint} ({layout.joints[joint]}): '
            f'{("x", "y", "score")[axis]} is {values[frame, joint, axis]}; '
            'give a missing joint as x = y = score = 0'
        )
    scores = values[:, :, 2]
    if scores.min() < 0:
        frame, joint = np.argwhere(scores < 0)[0]
        raise UserValueError(
            f'{where}: frame {first + frame}, joint {joint} ({layout.joints[joint]}): score '
            f'{scores[frame, joint]} is negative; '
            'scores are in [0, 1] (where a detector says "not found" so, give 0)'
        )
    if unit is not None:
        unit.add(values[:, :, :2], scores)
    far = (np.abs(values[:, :, :2]) > MAX_COORDINATE) & (scores > 0)[:, :, None]
    if far.any():
        # at most that may come of pixels times an image size
        if unit is not None and np.abs(values[:, :, :2][far]).max() <= MAX_COORDINATE**2:
            unit.refuse(where)
        frame, joint, axis = np.argwhere(far)[0]
        raise UserValueError(
            f'{where}: frame {first + frame}, joint {joint} ({layout.joints[joint]}): {"xy"[axis]} = '
            f'{values[frame, joint, axis]:g} px lies outside of every image (+-{MAX_COORDINATE:,}); '
            'correct it, or give a missing joint as x = y = score = 0'
        )
    np.minimum(scores, 1, out=scores)
    return values
