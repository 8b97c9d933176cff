"""Importer of trees ``<gloss>/<sequence>/<frame>.npy`` of MediaPipe numbers, as in many tutorials."""

import os
import re
from typing import Dict, Iterator, List, Optional, Tuple, Union

import numpy as np

from ...errors import UserValueError
from ...files.arrays import ArrayFileError, read_npy
from ...files.folders import LeftOut, report_left_out, suffix_of, walk
from ...files.text import clean_text
from ...layouts import get_layout
from .common import Clip
from .npz import words33_splits

# 21 x (x, y, z)
HAND = 63
# 33 x (x, y, z, visibility)
POSE = 132
# 468 x (x, y, z)
FACE = 1404
SIZES = {
    POSE + 2 * HAND: 'pose and hands',
    POSE + FACE + 2 * HAND: 'pose, face and hands',
    2 * HAND: 'two hands',
    HAND: 'one hand',
}


class MPTreeClips:
    """The clips of such a tree: glosses in alphabetical order, sequences in natural order, frames by number.

    A frame file holds fractions of the image size. 258 numbers: 33 pose points (x, y, z, visibility), left
    hand, right hand (21 x (x, y, z) each). 1662: pose, 468 face points (left out), left, right. 126: left,
    right. 63: one hand. A hand of zeros is missing. z is left out.

    Args:
        folder (str): The tree.
        width, height (int): Image size in pixels, which the files do not give.
        fps (float): Frames a second; 0 = unknown.
        hand (str): 'left' or 'right', which hand 63 numbers are of.
        protocol (str, optional): 'words33' splits as :func:`words33_splits` with sequence names as integers;
            None = all 'train'.

    Attributes:
        layout (str): 'mediapipe_holistic', or 'hands_42' without pose.
        glosses (list[str]): Folder names.
        gaps (dict[str, list[int]]): Missing frame numbers of each clip, filled while clips are read.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: A file name is not a number, a sequence is empty, or a file has another size than the
            first one; the message names it.
    """

    def __init__(
        self,
        folder: str,
        width: int = 640,
        height: int = 480,
        fps: float = 0.0,
        hand: Optional[str] = None,
        protocol: Optional[str] = None,
    ) -> None:
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f'{folder}: no such folder; expected <gloss>/<sequence>/<frame>.npy in it'
            )
        self.folder, self.width, self.height, self.fps = folder, width, height, fps
        sequences, self._files = _read_tree(folder)
        self.glosses: List[str] = [gloss for gloss in sorted(sequences) if sequences[gloss]]
        self.sequences = [
            (label, name) for label, gloss in enumerate(self.glosses) for name in sequences[gloss]
        ]
        # The folders' names on the disk may differ from the glosses in their Unicode form.
        self._folders = self.glosses
        self.glosses = [clean_text(gloss) for gloss in self.glosses]
        if not self.sequences:
            raise UserValueError(f'{folder}: no <gloss>/<sequence>/ folders in it')
        self.split = np.full(len(self.sequences), 'train')
        if protocol == 'words33':
            self.split = words33_splits(
                np.asarray([label for label, _ in self.sequences]),
                np.asarray([name for _, name in self.sequences]),
                folder,
            )
        elif protocol is not None:
            raise UserValueError(f'{folder}: protocol {protocol!r}; choose words33 or none')
        first = self._frames(*self.sequences[0])[0][1]
        self.size = _load(first).size
        if self.size not in SIZES:
            known = ', '.join(f'{size} ({what})' for size, what in SIZES.items())
            raise UserValueError(f'{first}: {self.size} numbers found; expected one of {known}')
        if (self.size == HAND) != (hand is not None) or hand not in (None, 'left', 'right'):
            raise UserValueError(
                f'{first}: {self.size} numbers a frame ({SIZES[self.size]}), hand is {hand!r}; '
                "give hand='left' or 'right' for 63 only"
            )
        self.hand = hand
        self.layout = 'mediapipe_holistic' if self.size > 2 * HAND else 'hands_42'
        self.gaps: Dict[str, List[int]] = {}

    def __len__(self) -> int:
        return len(self.sequences)

    def _frames(self, label: int, sequence: str) -> List[Tuple[int, str]]:
        """Frame numbers and files of a sequence, ascending."""
        folder = os.path.join(self.folder, self._folders[label], sequence)
        names = self._files.get(folder, [])
        odd = [name for name in names if not re.fullmatch(r'\d+\.npy', name, re.IGNORECASE)]
        if odd or not names:
            what = f'frame files that are not <number>.npy: {sorted(odd)[:5]}' if odd else 'no .npy frames'
            raise UserValueError(f'{folder}: {what}; correct or remove it')
        return sorted((int(name[:-4]), os.path.join(folder, name)) for name in names)

    def __iter__(self) -> Iterator[Clip]:
        layout = get_layout(self.layout)
        left, right = (layout.parts[f'{side}_hand'][0] for side in ('left', 'right'))
        for (label, sequence), split in zip(self.sequences, self.split):
            frames = self._frames(label, sequence)
            video_id = clean_text(f'{self.glosses[label]}/{sequence}')
            numbers = [number for number, _ in frames]
            absent = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
            if absent:
                self.gaps[video_id] = absent
            rows = []
            for _, path in frames:
                rows.append(_load(path))
                if rows[-1].size != self.size:
                    raise UserValueError(
                        f'{path}: {rows[-1].size} numbers found, other frames have {self.size}; collect the '
                        'sequence again or remove it'
                    )
            # (T, numbers)
            values = np.stack(rows).astype(np.float32)
            keypoints = np.zeros((len(rows), layout.num_joints, 3), dtype=np.float32)
            if self.size > 2 * HAND:
                # x, y and visibility, which becomes the score.
                keypoints[:, :33] = values[:, :POSE].reshape(-1, 33, 4)[:, :, [0, 1, 3]]
            # The last 126 numbers, or the only 63.
            # (T, hands, 21, 3)
            hands = values[:, -2 * HAND :].reshape(len(rows), -1, 21, 3)
            slots = dict(left=[left], right=[right]).get(self.hand, [left, right])
            for hand, first in enumerate(slots):
                keypoints[:, first : first + 21, :2] = hands[:, hand, :, :2]
                keypoints[:, first : first + 21, 2] = (hands[:, hand] != 0).any(axis=(1, 2))[:, None]
            keypoints[:, :, :2] *= np.asarray([self.width, self.height], dtype=np.float32)
            yield Clip(keypoints, label, str(split), video_id, self.width, self.height, fps=self.fps)


def _read_tree(root: str) -> Tuple[Dict[str, List[str]], Dict[str, List[str]]]:
    """Sequences of each gloss in natural order, and .npy files of each folder; the rest is logged."""
    sequences: Dict[str, List[str]] = {}
    files: Dict[str, List[str]] = {}
    left_out: List[LeftOut] = []
    for folder in walk(root):
        left_out += folder.left_out
        below = os.path.relpath(folder.path, root)
        depth = 0 if below == os.curdir else below.count(os.sep) + 1
        if depth == 1:
            sequences[os.path.basename(folder.path)] = sorted(folder.folders, key=_natural)
            if not folder.folders:
                left_out.append(LeftOut(folder.path, 'a gloss without sequences'))
        frames = [name for name in folder.files if suffix_of(name) == '.npy']
        others = [name for name in folder.files if suffix_of(name) != '.npy']
        if depth == 2:
            files[folder.path] = frames
        else:
            paths = [os.path.join(folder.path, name) for name in frames]
            left_out += [LeftOut(path, 'not in <gloss>/<sequence>/') for path in paths]
        left_out += [
            LeftOut(os.path.join(folder.path, name), 'not a .npy file, by its suffix') for name in others
        ]
    report_left_out(left_out, root)
    return sequences, files


def _natural(name: str) -> List[Union[int, str]]:
    # Natural order: 2 before 10.
    return [int(part) if part.isdecimal() else part for part in re.split(r'(\d+)', name)]


def _load(path: str) -> np.ndarray:
    try:
        values = read_npy(path)
    except (ArrayFileError, OSError) as error:
        raise UserValueError(
            f'{path}: not a plain npy file ({error}); collect this sequence again or remove it'
        ) from error
    if values.dtype.kind not in 'fiu':
        raise UserValueError(f'{path}: {values.dtype} found; expected numbers')
    return values.ravel()
