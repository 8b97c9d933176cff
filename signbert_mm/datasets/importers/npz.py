"""npz files with ``hands``, ``length``, ``label``, ``classes``, ``seq_id`` and perhaps ``pose``, in fractions of the image size."""

import os
from typing import Iterator, List, Optional, Tuple

import numpy as np

from ...files.arrays import ArrayFileError, read_npz
from ...files.paths import check_name
from ...layouts import get_layout
from .common import Clip

PROTOCOLS = ('words33',)
_FIELDS = ('hands', 'length', 'label', 'classes', 'seq_id')


def words33_splits(label: np.ndarray, seq_id: np.ndarray) -> np.ndarray:
    """Within each gloss by ``seq_id`` as an integer: the first floor(n / 2) 'train', up to floor(3 n / 5) 'val', the rest 'test'; shape (N,) str."""
    split = np.full(len(label), 'train', dtype='<U5')
    order = np.lexsort((seq_id.astype(np.int64), label))
    for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        count = len(members)
        split[members[count // 2 :]] = 'val'
        split[members[3 * count // 5 :]] = 'test'
    return split


class NpzClips:
    """The clips of one such file, in its order.

    Args:
        path (str): The file: ``hands`` (N, T, 2, 21, 2), x and y as fractions of image width and height, 0 = left and 1 = right, all zero = hand not
            found; ``length`` (N,); ``label`` (N,) into ``classes``; ``seq_id`` (N,); ``pose`` (N, T, P <= 33, 3), x, y and visibility of MediaPipe's
            first P pose points, optional.
        width, height (int): Image size in pixels, which the file does not tell.
        protocol (str, optional): 'words33' splits as :func:`words33_splits`; None = all 'train'.

    Attributes:
        layout (str): 'mediapipe_holistic' where ``pose`` is there, else 'hands_42'.
        glosses (list[str]): ``classes``.

    Raises:
        ValueError: A field is absent or of a wrong shape, or the protocol is unknown.
    """

    def __init__(self, path: str, width: int = 640, height: int = 480, protocol: Optional[str] = None) -> None:
        self.path, self.width, self.height = path, width, height
        try:
            fields = read_npz(path)
        except ArrayFileError as error:
            raise ValueError(f'{path}: not a whole npz file of plain arrays ({error}); copy it again or save it again with numpy.savez') from error
        absent = [name for name in _FIELDS if name not in fields]
        if absent:
            raise ValueError(f'{path}: fields absent: {absent}; found {sorted(fields)}')
        self._hands, self._pose = fields['hands'], fields.get('pose')
        count = len(self._hands)
        if self._hands.ndim != 5 or self._hands.shape[2:] != (2, 21, 2):
            raise ValueError(f'{path}: hands are of shape {self._hands.shape}; expected (N, T, 2, 21, 2)')
        if self._pose is not None and (self._pose.shape[:2] != self._hands.shape[:2] or self._pose.ndim != 4 or self._pose.shape[3] != 3):
            raise ValueError(f'{path}: pose is of shape {self._pose.shape}; expected {self._hands.shape[:2]} + (points, 3)')
        wrong = [name for name in ('length', 'label', 'seq_id') if fields[name].shape != (count,)]
        if wrong:
            raise ValueError(f'{path}: fields {wrong} are not of shape ({count},)')
        if protocol not in (None, *PROTOCOLS):
            raise ValueError(f'{path}: protocol {protocol!r}; choose one of {", ".join(PROTOCOLS)} or none')
        self.length, self.label, self.seq_id = fields['length'], fields['label'], fields['seq_id'].astype(str)
        classes = fields['classes']
        if classes.dtype.kind not in 'USiu' or classes.ndim != 1:
            raise ValueError(f'{path}: classes are {classes.dtype} of shape {classes.shape}; expected names, text of shape (N,)')
        self.glosses: List[str] = classes.astype(str).tolist()
        for place, gloss in enumerate(self.glosses):
            check_name(gloss, f'{path}: class {place}')  # a part of each clip's id
        outside = np.flatnonzero((self.label < 0) | (self.label >= len(self.glosses)))
        if len(outside):
            raise ValueError(
                f'{path}: clip {outside[0]}: field label is {self.label[outside[0]]}, outside 0 .. {len(self.glosses) - 1} '
                f'({len(self.glosses)} classes); correct label or classes'
            )
        self.layout = 'hands_42' if self._pose is None else 'mediapipe_holistic'
        if self._pose is not None and self._pose.shape[2] > 33:
            raise ValueError(f'{path}: pose has {self._pose.shape[2]} points; MediaPipe has 33')
        self.split = words33_splits(self.label, self.seq_id) if protocol == 'words33' else np.full(count, 'train')

    def __len__(self) -> int:
        return len(self._hands)

    def _blocks(self) -> Tuple[int, int]:
        """First joint of the left and of the right hand."""
        parts = get_layout(self.layout).parts
        return parts['left_hand'][0], parts['right_hand'][0]

    def __iter__(self) -> Iterator[Clip]:
        joints = get_layout(self.layout).num_joints
        stem = os.path.splitext(os.path.basename(self.path))[0]
        for index in range(len(self)):
            length = int(self.length[index])
            if not 0 < length <= self._hands.shape[1]:
                raise ValueError(
                    f'{self.path}: clip {index}: length {length} is outside 1 .. {self._hands.shape[1]}; correct length, or leave the clip out'
                )
            keypoints = np.zeros((length, joints, 3), dtype=np.float32)
            for side, first in enumerate(self._blocks()):
                hand = self._hands[index, :length, side].astype(np.float32)  # (T, 21, 2)
                keypoints[:, first : first + 21, :2] = hand
                keypoints[:, first : first + 21, 2] = (hand != 0).any(axis=(1, 2))[:, None]
            if self._pose is not None:
                keypoints[:, : self._pose.shape[2]] = self._pose[index, :length]
            keypoints[:, :, :2] *= np.asarray([self.width, self.height], dtype=np.float32)
            gloss = self.glosses[int(self.label[index])]
            yield Clip(keypoints, int(self.label[index]), str(self.split[index]), f'{stem}/{gloss}/{self.seq_id[index]}', self.width, self.height)
