"""STB, the Stereo Hand Pose Tracking Benchmark (Zhang et al., ICIP 2017): 3-D joints in .mat files."""

import os
from typing import Dict, Iterator, List, Sequence

import numpy as np

from ...errors import UserModuleNotFoundError, UserValueError
from ...layouts.hand import HAND_21
from ..importers import Clip
from .files import find_annotation
from .hand_joints import PinholeCamera, check_side, cut_clips, hand_21_order, keypoints_of, right_hand_share

# Of each sequence.
FRAMES = 1500
TEST_SEQUENCES = ('B1Counting', 'B1Random')
TRAIN_SEQUENCES = tuple(
    f'B{background}{pose}' for background in range(2, 7) for pose in ('Counting', 'Random')
)
OFFICIAL = dict(train=FRAMES * len(TRAIN_SEQUENCES), test=FRAMES * len(TEST_SEQUENCES))
SOURCE = 'STB: Zhang et al., A hand pose tracking benchmark from stereo matching, ICIP 2017'
LICENCE = "MIT (the licence file of the owners' repository)"

# The owners' README: palm centre (in the wrist's place here), then little to index finger, then the thumb.
JOINTS = ('hand_root',) + tuple(
    f'{finger}{knuckle}'
    for finger in ('pinky_finger', 'ring_finger', 'middle_finger', 'forefinger', 'thumb')
    for knuckle in (1, 2, 3, 4)
)
WRISTS = ('missing', 'extrapolate', 'palm')
_THROUGH = dict(middle='middle_finger1', ring='ring_finger1')

# Point Grey Bumblebee2, left image; Intel RealSense F200, colour image.
BB_CAMERA = PinholeCamera(822.79041, 822.79041, 318.47345, 250.31296)
SK_CAMERA = PinholeCamera(607.92271, 607.88192, 314.78337, 236.42484)
# Colour to depth camera: depth = R colour + t, rotation in radians and t in mm.
SK_ROTATION = (0.00531, -0.01196, 0.00301)
SK_SHIFT = (-24.0381, -0.4563, -1.2326)


def rotation_matrix(vector: Sequence[float]) -> np.ndarray:
    """Rodrigues' formula: the rotation (3, 3) about ``vector`` by its length in radians."""
    vector = np.asarray(vector, dtype=np.float64)
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.asarray([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _load_mat(path: str) -> np.ndarray:
    """The array ``handPara``."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UserModuleNotFoundError(f'{path}: MATLAB files need scipy: pip install scipy') from None
    try:
        content = loadmat(path, variable_names=['handPara'])
    # scipy raises many kinds of errors for a damaged file.
    except Exception as error:
        raise UserValueError(
            f'{path}: not a MATLAB file that scipy reads ({type(error).__name__}: {error}); download it again'
        ) from error
    if 'handPara' not in content:
        from scipy.io import whosmat

        raise UserValueError(f'{path}: no array handPara; found {[name for name, _, _ in whosmat(path)]}')
    return content['handPara']


class StbClips:
    """Clips of STB, layout hand_21, for :func:`~signbert_mm.prepare.importers.write_clips`.

    The folder holds ``labels/B1Counting_SK.mat`` and the like (or the .mat files themselves), each an array
    ``handPara`` (3, 21, 1500): x, y, z in mm. The images are not needed.

    The annotated root is the centre of the palm, "not wrist or hand center". What the paper does with the
    wrist is not given. With ``wrist='missing'`` it is not annotated (score 0): 20 joints train and count.
    'extrapolate' puts it as far behind the palm centre as the ``through`` finger's knuckle is before it, in
    3-D, as public code for STB does. 'palm' uses the palm centre as wrist, which the hand model's is not.

    Args:
        root (str): The downloaded folder.
        camera (str): 'SK' (RealSense, colour image) or 'BB' (Bumblebee, left image). Which one is not given
            in the paper.
        wrist (str): 'missing', 'extrapolate' or 'palm'.
        through (str): 'middle' or 'ring', for 'extrapolate'.
        test_sequences (Sequence[str]): The others train. SignBERT gives the counts alone; background 1 is the
            usual choice.
        clip_len (int): Frames a clip; 1 = single frames, as in SignBERT section 4.4; 0 = whole sequences.
        side (str): 'left'. The annotation does not say it; it is checked against the joints.

    Raises:
        FileNotFoundError: The annotation of a sequence is absent.
        ValueError: An annotation cannot be read, is there twice, or has another number of joints; an option
            is out of range.
    """

    layout = 'hand_21'
    glosses: List[str] = []

    def __init__(
        self,
        root: str,
        camera: str = 'SK',
        wrist: str = 'missing',
        through: str = 'middle',
        test_sequences: Sequence[str] = TEST_SEQUENCES,
        clip_len: int = 1,
        side: str = 'left',
    ) -> None:
        for name, value, known in (
            ('camera', camera, ('SK', 'BB')),
            ('wrist', wrist, WRISTS),
            ('through', through, tuple(_THROUGH)),
        ):
            if value not in known:
                raise UserValueError(f'STB: {name} is {value!r}; choose one of {", ".join(known)}')
        sequences = TRAIN_SEQUENCES + TEST_SEQUENCES
        unknown = sorted(set(test_sequences) - set(sequences))
        if unknown or clip_len < 0:
            raise UserValueError(
                f'STB: test sequences {unknown} are unknown, or clip_len {clip_len} is negative; sequences: '
                f'{", ".join(sequences)}'
            )
        self.wrist, self.through, self.clip_len = wrist, through, clip_len
        self.camera = SK_CAMERA if camera == 'SK' else BB_CAMERA
        self._sk = camera == 'SK'
        self.split = {name: 'test' if name in test_sequences else 'train' for name in sequences}
        paths = {name: find_annotation(root, f'{name}_{camera}.mat', 'labels') for name in self.split}
        missing = [name for name, path in paths.items() if not path]
        if missing:
            raise FileNotFoundError(
                f'{os.path.join(os.path.abspath(root), "labels")}: {len(missing)} of {len(paths)} '
                f'annotations are absent: {", ".join(f"{name}_{camera}.mat" for name in missing)}; download '
                '`labels` whole'
            )
        # Each (T, 21, 3) in mm, camera frame, hand_21 order, palm as root.
        self.points = {name: self._read(path) for name, path in paths.items()}
        self.right_hand_share = right_hand_share(np.concatenate(list(self.points.values())))
        check_side(self.right_hand_share, side, f'STB ({root})')
        self.notes = dict(
            dataset='stb',
            joints='annotated, not extracted',
            camera=camera,
            wrist=f'{wrist} ({through})' if wrist == 'extrapolate' else wrist,
            test_sequences=list(test_sequences),
            clip_len=clip_len,
            side=side,
            right_hand_share=round(self.right_hand_share, 4),
        )

    def _read(self, path: str) -> np.ndarray:
        points = _load_mat(path)
        if points.ndim != 3 or points.shape[:2] != (3, len(JOINTS)) or points.dtype.kind not in 'fiu':
            raise UserValueError(
                f'{path}: handPara is {points.dtype} of shape {points.shape}; expected numbers of shape (3, '
                '21, frames): x, y, z of 21 joints'
            )
        # (T, 21, 3)
        points = points.transpose(2, 1, 0).astype(np.float64)
        annotated = (points != 0).any(axis=-1, keepdims=True)
        if self._sk:
            # colour = R' (depth - t), of row vectors.
            points = (points - SK_SHIFT) @ rotation_matrix(SK_ROTATION)
        # Missing joints are 0, 0, 0 again after the shift.
        return (points * annotated)[:, hand_21_order(JOINTS)]

    def _with_wrist(self, points: np.ndarray) -> np.ndarray:
        points = points.copy()
        if self.wrist == 'missing':
            points[:, 0] = 0
        elif self.wrist == 'extrapolate':
            knuckle = points[:, HAND_21.joints.index(_THROUGH[self.through])]
            annotated = (points[:, 0] != 0).any(-1) & (knuckle != 0).any(-1)
            points[:, 0] = (2 * points[:, 0] - knuckle) * annotated[:, None]
        return points

    def coverage(self) -> Dict[str, int]:
        """Clips of each split."""
        counts = dict.fromkeys(self.split.values(), 0)
        for name, points in self.points.items():
            counts[self.split[name]] += -(-len(points) // self.clip_len) if self.clip_len else 1
        return counts

    def frames(self) -> Dict[str, int]:
        """Frames of each split, to compare with ``OFFICIAL``."""
        return {
            split: sum(len(points) for name, points in self.points.items() if self.split[name] == split)
            for split in OFFICIAL
        }

    def __iter__(self) -> Iterator[Clip]:
        for name, points in self.points.items():
            where = [f'{name}, frame {frame}' for frame in range(len(points))]
            keypoints = keypoints_of(self._with_wrist(points), self.camera, where)
            yield from cut_clips(keypoints, self.clip_len, self.split[name], name, self.camera)
