"""Importer of Uni-Sign's pickles: the whole-body poses of a video each."""

from typing import Iterator, Optional, Sequence, Union

import numpy as np

from ...errors import UserValueError
from ...files.unpickle import safe_load, to_array
from ...layouts import get_layout
from .common import Clip, UnreadableError
from .labelled_files import LabelledFiles

LAYOUT = 'coco_wholebody_133'
# Fractions of the image lie in 0 .. 1, and joints outside of it not far away.
_LARGEST = 10.0


def read_unisign(path: str) -> np.ndarray:
    """The poses of one file; nothing in it is run.

    The file holds ``dict(keypoints=[..], scores=[..])`` with an entry a frame: (people, 133, 2) in fractions
    of image width and height, and (people, 133), as Uni-Sign's ``pose_extraction.py`` writes them with
    RTMPose. ``start`` and ``end``, where they are there, are the frames of the clip. Of several people in a
    frame the one with the highest mean score is taken.

    Returns:
        ndarray: Shape (T, 133, 3): x and y in fractions of the image, score; 0 = missing.

    Raises:
        UnreadableError: The file is damaged, refused, or of another form; the message names the field.
    """
    try:
        with open(path, 'rb') as file:
            content = safe_load(file)
    except ValueError as error:
        raise UnreadableError(str(error)) from error
    if not isinstance(content, dict) or not {'keypoints', 'scores'} <= set(content):
        names = sorted(map(str, content))[:8] if isinstance(content, dict) else type(content).__name__
        raise UnreadableError(f'{path}: {names} found; dict(keypoints=[..], scores=[..]) is expected')
    keypoints, scores = content['keypoints'], content['scores']
    counts = [len(part) if isinstance(part, (list, tuple, np.ndarray)) else 0 for part in (keypoints, scores)]
    if counts[0] != counts[1] or not counts[0]:
        raise UnreadableError(
            f'{path}: keypoints of {counts[0]} frames and scores of {counts[1]}; lists of as many '
            'are expected, of at least one'
        )
    begin, end = content.get('start', 0), content.get('end', counts[0])
    if (
        not all(isinstance(value, (int, np.integer)) for value in (begin, end))
        or not 0 <= begin < end <= counts[0]
    ):
        raise UnreadableError(f'{path}: start {begin!r:.30} and end {end!r:.30} in {counts[0]} frames')
    pose = np.stack([_person(keypoints[frame], scores[frame], path, frame) for frame in range(begin, end)])
    if not np.isfinite(pose).all() or np.abs(pose[..., :2]).max() > _LARGEST:
        raise UnreadableError(
            f'{path}: coordinates up to {np.abs(pose[..., :2]).max():g}; fractions of the image expected'
        )
    return pose


def _person(points: object, scores: object, path: str, frame: int) -> np.ndarray:
    """The joints of one frame, shape (133, 3)."""
    try:
        xy, score = to_array(points), to_array(scores)
    except ValueError as error:
        raise UnreadableError(f'{path}: frame {frame}: {error}') from error
    joints = get_layout(LAYOUT).num_joints
    if xy.ndim != 3 or xy.shape[1:] != (joints, 2) or score.shape != xy.shape[:2]:
        raise UnreadableError(
            f'{path}: frame {frame}: keypoints of shape {xy.shape} and scores of shape {score.shape}; '
            f'expected (people, {joints}, 2) and (people, {joints})'
        )
    if {xy.dtype.kind, score.dtype.kind} - set('fiu'):
        raise UnreadableError(f'{path}: frame {frame}: {xy.dtype} and {score.dtype} found; numbers expected')
    pose = np.zeros((joints, 3), dtype=np.float32)
    if len(xy):
        person = int(score.mean(axis=1).argmax())
        # A joint that the extractor does not see has a score of 0 or less, and a place left of the image.
        seen = score[person] > 0
        pose[seen, :2], pose[seen, 2] = xy[person][seen], score[person][seen]
    return pose


class UniSignClips:
    """The clips of such files, in order of file name.

    Args:
        source, labels: As :class:`LabelledFiles`.
        width, height (int): Image size in pixels, which the files do not give.
        fps (float): Frames a second; 0 = unknown.

    Attributes:
        layout (str): 'coco_wholebody_133'.
        glosses (list[str]): Of the csv, in alphabetical order.

    Raises:
        FileNotFoundError, ValueError: As :class:`LabelledFiles`; an image size is not above 0.
    """

    layout = LAYOUT

    def __init__(
        self,
        source: Union[str, Sequence[str]],
        labels: Optional[str] = None,
        width: int = 0,
        height: int = 0,
        fps: float = 0.0,
    ) -> None:
        if not width or not height or min(width, height) <= 0:
            raise UserValueError(
                f'{source}: the files have fractions of the image, and not its size; give --width and '
                '--height of the videos in pixels'
            )
        self.width, self.height, self.fps = width, height, fps
        self._files = LabelledFiles(source, '.pkl', labels)
        self.glosses = self._files.glosses

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Clip]:
        return (self.clip(path) for path in self._files.files)

    def clip(self, path: str) -> Clip:
        """The clip in one file."""
        pose = read_unisign(path)
        pose[..., :2] *= np.asarray([self.width, self.height], dtype=np.float32)
        return Clip(pose, width=self.width, height=self.height, fps=self.fps, **self._files.about(path))
