"""HANDS17, the 2017 Hands in the Million challenge (Yuan et al.): 3-D joints of its tracking sequences."""

import os
import re
from typing import Dict, Iterator, List, Optional, Tuple

import numpy as np

from ...errors import UserValueError
from ...files.text import text_lines
from ...layouts.hand import NUM_HAND_JOINTS
from ..importers import Clip
from .files import find_annotation
from .hand_joints import PinholeCamera, check_side, cut_clips, hand_21_order, keypoints_of, right_hand_share

ANNOTATION = 'test_annotation_tracking.txt'
SEQUENCES = 99
# SignBERT section 4.4.
PAPER_FRAMES = 292820
SOURCE = 'HANDS17: Yuan et al., The 2017 Hands in the Million challenge on 3D hand pose estimation'
LICENCE = 'academic research only, by application to the owners'
# The owners' "Camera info.txt".
CAMERA = PinholeCamera(475.065948, 475.065857, 315.944855, 245.287079)

_NAMES = dict(T='thumb', I='forefinger', M='middle_finger', R='ring_finger', P='pinky_finger')
# The file's order: Wrist, TMCP, IMCP, MMCP, RMCP, PMCP, TPIP, TDIP, TTIP, IPIP, ..
JOINTS = (
    ('hand_root',)
    + tuple(f'{name}1' for name in _NAMES.values())
    + tuple(f'{name}{knuckle}' for name in _NAMES.values() for knuckle in (2, 3, 4))
)
_FOLDER = re.compile(r'(?:^|/)([^/]+)/images/[^/]+$')

Sequences = Dict[str, Tuple[np.ndarray, List[str]]]


def read_annotation(path: str) -> Tuple[List[str], np.ndarray, List[int]]:
    """Lines of an image name and 63 numbers, separated by tabs or blanks.

    Returns:
        tuple: Image names with '/' between the parts; joints (N, 21, 3) float64 in mm, in the file's order;
            line numbers, from 1.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line has another number of joints or something that is no number, an image is listed
            twice (line numbers are named), or there are no lines.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{os.path.abspath(path)}: no such file; it holds the joints of the tracking sequences (see '
            'docs/dataset_zoo/hands17.md)'
        )
    names: List[str] = []
    rows: List[np.ndarray] = []
    lines: List[int] = []
    seen: Dict[str, int] = {}
    for number, line in text_lines(path):
        parts = line.split()
        name = parts[0].replace('\\', '/')
        if len(parts) != 1 + 3 * NUM_HAND_JOINTS:
            raise UserValueError(
                f'{path} line {number}: {len(parts) - 1} numbers after {parts[0]!r}; expected '
                f'{3 * NUM_HAND_JOINTS}'
            )
        try:
            rows.append(np.asarray(parts[1:], dtype=np.float64))
        except ValueError as error:
            raise UserValueError(
                f'{path} line {number}: {error}; expected an image name and {3 * NUM_HAND_JOINTS} numbers'
            ) from None
        if name in seen:
            raise UserValueError(
                f'{path}: image {parts[0]!r} is listed twice: lines {seen[name]} and {number}; remove one '
                'of them'
            )
        seen[name] = number
        names.append(name)
        lines.append(number)
    if not names:
        raise UserValueError(f'{path}: no lines; the file is empty: download it again')
    return names, np.stack(rows).reshape(-1, NUM_HAND_JOINTS, 3), lines


def read_sequence_list(path: str) -> Dict[str, str]:
    """Image name -> sequence, of lines with both names in the order of the frames.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line has not two words, or an image is listed twice.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{os.path.abspath(path)}: no such file; it holds a line for each frame: image name, name of '
            'the sequence'
        )
    sequences: Dict[str, str] = {}
    for number, line in text_lines(path):
        parts = line.replace('\\', '/').split()
        if len(parts) != 2:
            raise UserValueError(
                f'{path} line {number}: {len(parts)} words; expected an image name and the name of its '
                'sequence'
            )
        if parts[0] in sequences:
            raise UserValueError(
                f'{path} line {number}: image {parts[0]!r} is listed twice; remove one of the lines'
            )
        sequences[parts[0]] = parts[1]
    if not sequences:
        raise UserValueError(f'{path}: no lines')
    return sequences


class Hands17Clips:
    """Clips of HANDS17, layout hand_21, for :func:`~signbert_mm.prepare.importers.write_clips`.

    The annotation is ``test_annotation_tracking.txt``: image name and 63 numbers a line, x, y, z of 21 joints
    in mm in the camera's frame, which are projected here. A frame's sequence is the folder above ``images``
    in its name: ``tracking\\12\\images\\image_D00000001.png`` is of sequence 12. Frames stand in the order of
    the lines. Of each sequence the first ``train_share`` trains and the rest tests (SignBERT section 4.4).

    Args:
        root (str): The downloaded folder, or the annotation file.
        sequences (str, optional): A list of the frames' sequences (:func:`read_sequence_list`), if the image
            names do not give them. Frames that it leaves out are left out.
        train_share (float): Rounded down to whole frames, which is not given in the paper.
        clip_len (int): Consecutive frames of a clip, not across the split; 0 = whole sequences. 32 is not
            given in the paper.
        side (str): Which hand it is. The owners do not say; it is checked against the joints.

    Raises:
        FileNotFoundError: The annotation is absent.
        ValueError: It is malformed, or an option is out of range.
    """

    layout = 'hand_21'
    glosses: List[str] = []

    def __init__(
        self,
        root: str,
        sequences: Optional[str] = None,
        train_share: float = 0.7,
        clip_len: int = 32,
        side: str = 'right',
    ) -> None:
        if not 0 < train_share < 1 or clip_len < 0:
            raise UserValueError(
                f'HANDS17: train_share is {train_share}, clip_len {clip_len}; give a share within 0 and 1, '
                'and frames (0 = whole sequences)'
            )
        # A missing file is then reported at its usual place.
        usual = os.path.join(root, 'test', ANNOTATION)
        self.path = root if os.path.isfile(root) else find_annotation(root, ANNOTATION, 'test') or usual
        self.train_share, self.clip_len = train_share, clip_len
        names, points, lines = read_annotation(self.path)
        points = points[:, hand_21_order(JOINTS)]
        self.right_hand_share = right_hand_share(points)
        check_side(self.right_hand_share, side, f'HANDS17 ({self.path})')
        self.sequences = self._group(names, points, lines, sequences)
        self.notes = dict(
            dataset='hands17',
            joints='annotated, not extracted',
            sequences=len(self.sequences),
            train_share=train_share,
            clip_len=clip_len,
            side=side,
            right_hand_share=round(self.right_hand_share, 4),
            paper_frames=PAPER_FRAMES,
        )

    def _group(
        self, names: List[str], points: np.ndarray, lines: List[int], path: Optional[str]
    ) -> Sequences:
        rows_by_name = {name: row for row, name in enumerate(names)}
        order: Dict[str, List[int]] = {}
        if path:
            for name, sequence in read_sequence_list(path).items():
                if name not in rows_by_name:
                    raise UserValueError(
                        f'{path}: image {name!r} is not in {self.path}; the two files do not belong together'
                    )
                order.setdefault(sequence, []).append(rows_by_name[name])
        else:
            for row, name in enumerate(names):
                match = _FOLDER.search(name)
                if not match:
                    raise UserValueError(
                        f'{self.path} line {lines[row]}: {name!r} does not tell its sequence, as '
                        f'tracking\\12\\images\\image_D00000001.png does; use {ANNOTATION}, or give a list '
                        'of sequences (--sequences)'
                    )
                order.setdefault(match.group(1), []).append(row)
        return {
            sequence: (points[rows], [f'{self.path} line {lines[row]}' for row in rows])
            for sequence, rows in sorted(order.items(), key=lambda item: (len(item[0]), item[0]))
        }

    def _splits(self, frames: int) -> Dict[str, Tuple[int, int]]:
        # The small number keeps, say, 0.7 * 10 from being rounded down to 6.
        border = int(frames * self.train_share + 1e-9)
        return dict(train=(0, border), test=(border, frames))

    def frames(self) -> Dict[str, int]:
        """Frames of each split."""
        counts = dict(train=0, test=0)
        for points, _ in self.sequences.values():
            for split, (first, last) in self._splits(len(points)).items():
                counts[split] += last - first
        return counts

    def coverage(self) -> Dict[str, int]:
        """Clips of each split."""
        counts = dict(train=0, test=0)
        for points, _ in self.sequences.values():
            for split, (first, last) in self._splits(len(points)).items():
                counts[split] += -(-(last - first) // self.clip_len) if self.clip_len else int(last > first)
        return counts

    def __iter__(self) -> Iterator[Clip]:
        for name, (points, where) in self.sequences.items():
            keypoints = keypoints_of(points, CAMERA, where)
            for split, (first, last) in self._splits(len(points)).items():
                yield from cut_clips(keypoints[first:last], self.clip_len, split, name, CAMERA, first)
