"""Importer of the arrays of SAM-SLR and DSTA-SLR: all clips of a split, padded to one length."""

import os
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ...errors import UserValueError
from ...files.arrays import open_array
from ...files.matching import find_signer, signer_pattern
from ...files.text import clean_text
from ...files.unpickle import safe_load, to_array
from ...layouts import get_layout, map_joints
from .common import Clip

SPLITS = ('train', 'val', 'test')
# By the number of joints. SAM-SLR's graphs have 27; the rest of its code can write all.
LAYOUTS = {27: 'sam_slr_27', 133: 'coco_wholebody_133'}


class SamSlrClips:
    """The clips of ``{train,val,test}_data_joint.npy``, in their order.

    An array is (N, C, T, V, M): C = 2 or 3 (x and y in pixels, score; without it a joint at 0, 0 is missing),
    V = 27 of COCO-WholeBody's joints (or all 133), M people, of whom the one with the highest mean score is
    taken. Its labels are in ``{split}_label.pkl``, a pair of lists: names and labels. It is read by the clip,
    so memory does not grow with it; nothing in the pickle is run.

    SAM-SLR repeats a clip from its begin until the array's T frames are full. That is undone: the clip ends
    where its first frame comes again and the rest repeats it to the last number; so do trailing frames that
    are all 0. Clips that are longer than T were cut by those who wrote the array.

    Args:
        folder (str): Of these files.
        glosses (list[str], optional): The vocabulary; None = '0', '1', .. up to the largest label.
        splits (Sequence[str], optional): Only these; None = those that are there.
        width, height (int): Image size in pixels, which the files do not give.
        fps (float): Frames a second; 0 = unknown.
        signer (str): A regular expression that finds the signer in a clip's name: its first group, or else
            the match. '' = unknown.
        layout (str): Of the clips that come out, by joint name. sign_49 has all of the 27 joints, and hands
            of 21, of which the other 11 are missing.

    Attributes:
        layout (str), glosses (list[str]): Of the clips.

    Raises:
        FileNotFoundError: There is no such file, or no pickle beside an array.
        ValueError: An array or pickle is of another form, a label is outside the glosses, or ``signer`` is no
            regular expression.
    """

    def __init__(
        self,
        folder: str,
        glosses: Optional[Sequence[str]] = None,
        splits: Optional[Sequence[str]] = None,
        width: int = 512,
        height: int = 512,
        fps: float = 0.0,
        signer: str = '',
        layout: str = 'sign_49',
    ) -> None:
        self.folder, self.layout, self.signer = folder, get_layout(layout).name, signer
        signer_pattern(signer)
        self.width, self.height, self.fps = width, height, fps
        present = [split for split in SPLITS if os.path.isfile(self._path(split, 'data_joint.npy'))]
        absent = [self._path(split, 'data_joint.npy') for split in splits or () if split not in present]
        if absent or not present:
            raise FileNotFoundError(
                f'{absent[0] if absent else os.path.abspath(folder)}: no such arrays; '
                'train_data_joint.npy and train_label.pkl of SAM-SLR are expected, and those of val and test'
            )
        self._parts: Dict[str, Tuple[np.ndarray, List[str], List[int]]] = {
            split: self._open(split) for split in splits or present
        }
        largest = max(max(labels) for _, _, labels in self._parts.values())
        self.glosses = list(glosses or map(str, range(largest + 1)))
        if largest >= len(self.glosses):
            raise UserValueError(
                f'{folder}: a label is {largest}, but there are {len(self.glosses)} glosses; give the list '
                'that belongs to these arrays'
            )

    def _path(self, split: str, name: str) -> str:
        return os.path.join(self.folder, f'{split}_{name}')

    def _open(self, split: str) -> Tuple[np.ndarray, List[str], List[int]]:
        path, labels_path = self._path(split, 'data_joint.npy'), self._path(split, 'label.pkl')
        data = open_array(path)
        if data.ndim != 5 or data.shape[1] not in (2, 3) or data.shape[3] not in LAYOUTS or not data.size:
            raise UserValueError(
                f'{path}: {data.dtype} of shape {data.shape}; expected (clips, 2 or 3, frames, '
                f'{" or ".join(map(str, LAYOUTS))}, people) as SAM-SLR writes it'
            )
        if data.dtype.kind != 'f':
            raise UserValueError(f'{path}: numbers are {data.dtype}; floating point expected')
        with open(labels_path, 'rb') as file:
            content = safe_load(file)
        if not isinstance(content, (tuple, list)) or len(content) != 2:
            raise UserValueError(f'{labels_path}: a pair of lists, names and labels, is expected')
        names = [clean_text(str(name)) for name in to_array(content[0]).ravel().tolist()]
        labels = to_array(content[1]).ravel()
        if labels.dtype.kind not in 'iu' or not len(names) == len(labels) == len(data):
            raise UserValueError(
                f'{labels_path}: {len(names)} names and {len(labels)} labels ({labels.dtype}) for '
                f'{len(data)} clips in {path}; expected as many, labels as whole numbers'
            )
        # An array of labels could claim any number, which would become as many glosses.
        if not 0 <= labels.min() <= labels.max() < 10**6:
            raise UserValueError(f'{labels_path}: labels run from {labels.min()} to {labels.max()}')
        return data, names, labels.tolist()

    def __len__(self) -> int:
        return sum(len(names) for _, names, _ in self._parts.values())

    def __iter__(self) -> Iterator[Clip]:
        for split, (data, names, labels) in self._parts.items():
            source, target = get_layout(LAYOUTS[data.shape[3]]), get_layout(self.layout)
            for row, name, label in zip(data, names, labels):
                pose = map_joints(self._pose(row), source, target)
                signer = self._signer(name)
                yield Clip(pose, label, split, name, self.width, self.height, signer, self.fps)

    @staticmethod
    def _pose(row: np.ndarray) -> np.ndarray:
        """Shape (T, V, 3) of an array (C, T, V, M), without the padding."""
        people = np.moveaxis(np.asarray(row, dtype=np.float32), (3, 1, 2, 0), (0, 1, 2, 3))  # (M, T, V, C)
        scores = people[..., 2] if len(row) == 3 else (people != 0).any(-1).astype(np.float32)
        person = int(scores.mean(axis=(1, 2)).argmax())
        pose = np.concatenate([people[person][..., :2], scores[person][..., None]], axis=-1)
        return pose[: unpadded_length(pose)]

    def _signer(self, name: str) -> str:
        if not self.signer:
            return ''
        signer = find_signer(signer_pattern(self.signer), name)
        if not signer:
            raise UserValueError(
                f'{self.folder}: {name}: --signer {self.signer!r} finds no signer in this name; correct the '
                'pattern'
            )
        return signer


def unpadded_length(pose: np.ndarray) -> int:
    """Frames of a clip before it was filled up with 0 or by repeating it from its begin; at least 1.

    Args:
        pose (ndarray): Shape (T, ...).
    """
    frames = pose.reshape(len(pose), -1)
    seen = np.flatnonzero((frames != 0).any(axis=1))
    length = int(seen[-1]) + 1 if len(seen) else 1
    frames = frames[:length]
    # The clip is as long as the shortest shift under which it repeats; a clip that stands still has none.
    for shift in np.flatnonzero((frames[1:] == frames[0]).all(axis=1)) + 1:
        if np.array_equal(frames[shift:], frames[:-shift]):
            return int(shift) if shift > 1 else length
    return length
