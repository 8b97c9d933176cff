"""The generator of synthetic signs."""

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy import ndarray

from ...errors import UserValueError
from ...layouts import SIGN_49, Layout, get_layout
from .arrays import generator
from .camera import place_cameras
from .detector import DetectorOdds, detect
from .inventory import shape_angles
from .motion import BODY_JOINTS, Frames, clip_joints
from .plan import FPS, ClipNumbers, plan_clips
from .signers import Signers
from .vocabulary import Vocabulary

SYNTHETIC_NOTE = (
    'Synthetic signs: hand poses come from joint angles on all 45 axes of a hand skeleton of their own, with '
    'bone lengths, noise and '
    'coarticulation for each signer; they do not lie in the 25 pose and 10 shape coefficients that the '
    'hand-model decoder predicts.'
)
# Kept in a store's notes. Add one when the same arguments give other signs than before (last bits aside).
GENERATOR_VERSION = 1
SPLITS = ('train', 'val', 'test')
_CHUNK = 64


@dataclass
class SyntheticBatch:
    """Clips side by side: frames of clip b are rows ``offset[b]`` to ``offset[b] + length[b]``.

    Attributes:
        keypoints (ndarray): Shape (F, V, 3) float32: x and y in pixels, confidence in [0, 1]; all 0 where a
            joint is missing or not generated.
        true_2d (ndarray): Shape (F, 49, 2) float32, pixels: the true joints in layout sign_49, also where
            they are missing or outside the image.
        true_3d (ndarray): Shape (F, 49, 3) float32, metres in the camera frame: x right, y down, z away.
        offset, length, index, label, signer (ndarray): Shape (B,) int64.
        image_size (ndarray): Shape (B, 2) int64, width and height in pixels.
        camera (ndarray): Shape (B, 3) float32: focal length, centre x, centre y in pixels; ``true_2d = focal
            * true_3d[:2] / true_3d[2] + centre``.
    """

    keypoints: ndarray
    true_2d: ndarray
    true_3d: ndarray
    offset: ndarray
    length: ndarray
    index: ndarray
    label: ndarray
    signer: ndarray
    image_size: ndarray
    camera: ndarray

    def __len__(self) -> int:
        return len(self.length)

    def rows(self, clip: int) -> slice:
        """The rows of frames of one clip."""
        return slice(int(self.offset[clip]), int(self.offset[clip] + self.length[clip]))


class SyntheticSigns:
    """An invented sign language with signers, cameras and a detector that makes errors.

    A gloss is a sequence of hand shapes and orientations on a wrist path relative to the body, with one hand
    or both (symmetric, alternating, or a passive base hand). Shapes, places and movements come from small
    shared lists, and many glosses differ from another in a single part. Signers differ in bones, proportions,
    habits, tempo, handedness and camera; clips of one signer differ too. The detector loses joints and hands,
    adds jitter, and is sometimes confident where it is wrong.

    Hand poses come from all 45 joint angles of a separate skeleton, not from the hand model's 25 pose and 10
    shape coefficients. ``SYNTHETIC_NOTE`` says so and belongs beside every table made with these signs.

    Clip i shows gloss ``i % num_glosses`` by signer ``i // num_glosses % num_signers``. It depends on the
    arguments and i alone, not on the clips made beside it. A larger ``num_glosses`` or ``num_signers``
    keeps the glosses and signers of the smaller.

    Args:
        num_glosses (int): Size of the vocabulary, 1 .. 20,000.
        num_signers (int): 3 or more: train, val and test have different signers.
        seed (int): 0 .. 2**63 - 1.
        layout (str | Layout): Joints of the clips. Those that the generator does not make (face, feet) are
            missing.
        length (tuple[int, int]): Fewest and most frames of a clip, at 25 frames per second.
        val_signers, test_signers (int, optional): Signers held out; by default a tenth (at least 1) and a
            fifth (at least 1) of all.
        left_handed (float): Odds that a signer is left-handed.
        variety (float): How far signers and clips differ; 1 = normal, 0 = one average signer and one camera.
        detector (float): Strength of the detector's errors; 1 = normal, 0 = the true joints inside the image
            (a hand with fewer than 6 joints inside is missing).

    Raises:
        ValueError: An argument is outside its range, or the layout has none of the joints.
        KeyError: The layout is unknown.

    Example:
        >>> signs = SyntheticSigns(num_glosses=30, num_signers=8, seed=0)
        >>> batch = signs.generate(range(64))
        >>> batch.keypoints[batch.rows(5)].shape[1:]
        (133, 3)
    """

    def __init__(
        self,
        num_glosses: int = 100,
        num_signers: int = 20,
        seed: int = 0,
        layout: Union[str, Layout] = 'coco_wholebody_133',
        length: Tuple[int, int] = (20, 80),
        val_signers: Optional[int] = None,
        test_signers: Optional[int] = None,
        left_handed: float = 0.12,
        variety: float = 1.0,
        detector: float = 1.0,
    ) -> None:
        val_signers = max(1, num_signers // 10) if val_signers is None else val_signers
        test_signers = max(1, num_signers // 5) if test_signers is None else test_signers
        self.arguments = dict(
            num_glosses=num_glosses,
            num_signers=num_signers,
            seed=seed,
            length=list(length),
            val_signers=val_signers,
            test_signers=test_signers,
            left_handed=left_handed,
            variety=variety,
            detector=detector,
        )
        _check(**self.arguments)
        self.num_glosses, self.num_signers = int(num_glosses), int(num_signers)
        self.seed, self.length = int(seed), tuple(length)
        self.variety, self.detector = float(variety), float(detector)
        self.layout = get_layout(layout)
        self._columns, self._sources = _columns(self.layout)
        self._truth = np.array([_JOINT_INDEX[joint] for joint in SIGN_49.joints])
        # Streams from 0 up are clips and from 2**63 up signers; the last one is the vocabulary.
        vocabulary_rng = generator(self.seed, (1 << 64) - 1)
        shapes = shape_angles(vocabulary_rng)
        self.vocabulary = Vocabulary(self.num_glosses, vocabulary_rng)
        self.signers = Signers(self.num_signers, self.seed, shapes, left_handed, self.variety)
        train = self.num_signers - val_signers - test_signers
        self.signer_splits: List[str] = ['train'] * train + ['val'] * val_signers + ['test'] * test_signers
        self.signer_names = [
            f'signer_{index:0{max(2, len(str(num_signers - 1)))}d}' for index in range(num_signers)
        ]

    @property
    def glosses(self) -> List[str]:
        """Names of the glosses; a gloss's index is its label."""
        return list(self.vocabulary.names)

    def label(self, indices: Sequence[int]) -> ndarray:
        """Gloss of each clip, int64."""
        return np.asarray(indices, dtype=np.int64) % self.num_glosses

    def signer(self, indices: Sequence[int]) -> ndarray:
        """Signer of each clip, int64."""
        return np.asarray(indices, dtype=np.int64) // self.num_glosses % self.num_signers

    def split(self, indices: Sequence[int]) -> List[str]:
        """'train', 'val' or 'test' of each clip, by its signer."""
        return [self.signer_splits[signer] for signer in self.signer(indices)]

    def generate(self, indices: Sequence[int]) -> SyntheticBatch:
        """Makes clips.

        Args:
            indices (Sequence[int]): Which clips, in any order, 0 .. 2**62.

        Raises:
            ValueError: No index is given, or one is negative.
        """
        indices = np.asarray(indices, dtype=np.int64)
        if indices.ndim != 1 or len(indices) == 0 or indices.min() < 0 or indices.max() > 1 << 62:
            raise UserValueError(
                'SyntheticSigns.generate: give one or more clip indices in 0 .. 2**62, got '
                f'shape {indices.shape}, {indices[:5]}'
            )
        # Chunks bound the memory of intermediate arrays.
        parts = [self._chunk(indices[start : start + _CHUNK]) for start in range(0, len(indices), _CHUNK)]
        if len(parts) == 1:
            return parts[0]
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in SyntheticBatch.__dataclass_fields__
            if name != 'offset'
        }
        # Offsets of the parts count from each part's start, so they are made anew.
        return SyntheticBatch(offset=np.cumsum(joined['length']) - joined['length'], **joined)

    def _chunk(self, indices: ndarray) -> SyntheticBatch:
        gloss, signer = self.label(indices), self.signer(indices)
        numbers = ClipNumbers(self.seed, indices)
        plan = plan_clips(self.vocabulary, self.signers, gloss, signer, numbers, self.length, self.variety)
        cameras = place_cameras(self.signers, signer, numbers, self.variety)
        frames = Frames.of(plan.length, FPS)
        body, hands = clip_joints(plan, self.signers, signer, frames)
        # (3, 55, F)
        world = np.concatenate([body, hands.reshape(3, 42, -1)], axis=1)

        rotation, shift = frames.spread(cameras.rotation), frames.spread(cameras.shift)
        # The camera turns about the height that it looks at, so the shift in y comes before the rotation.
        aim = world[1] - shift[1]
        in_camera = [
            rotation[row, 0] * world[0] + rotation[row, 1] * aim + rotation[row, 2] * world[2]
            for row in range(3)
        ]
        in_camera = np.stack([in_camera[0] + shift[0], in_camera[1], in_camera[2] + shift[2]])
        # Pinhole projection: focal * (x, y) / z + centre.
        pixels = (
            in_camera[:2] * (frames.spread(cameras.focal) / in_camera[2])
            + frames.spread(cameras.centre)[:, None]
        )
        quality = self.signers.quality[signer] * np.exp(numbers.normal(0.2 * self.variety))
        detected, score = detect(
            pixels,
            in_camera[2],
            frames,
            numbers,
            cameras.image_size,
            plan.uses_both,
            plan.left_handed,
            quality,
            self.detector,
            DetectorOdds(),
        )
        # Joints of the layout that the generator does not make stay 0: missing.
        keypoints = np.zeros((len(frames.clip), self.layout.num_joints, 3), dtype=np.float32)
        keypoints[:, self._columns] = np.concatenate([detected, score[None]])[:, self._sources].transpose(
            2, 1, 0
        )
        return SyntheticBatch(
            keypoints=keypoints,
            true_2d=np.ascontiguousarray(pixels[:, self._truth].transpose(2, 1, 0)),
            true_3d=np.ascontiguousarray(in_camera[:, self._truth].transpose(2, 1, 0)),
            offset=np.cumsum(plan.length) - plan.length,
            length=plan.length,
            index=indices,
            label=gloss,
            signer=signer,
            image_size=cameras.image_size.T.astype(np.int64),
            camera=cameras.intrinsics,
        )


def _check(
    num_glosses: int,
    num_signers: int,
    seed: int,
    length: Sequence[int],
    val_signers: int,
    test_signers: int,
    left_handed: float,
    variety: float,
    detector: float,
) -> None:
    held_out = val_signers + test_signers
    integers = dict(
        num_glosses=num_glosses,
        num_signers=num_signers,
        seed=seed,
        val_signers=val_signers,
        test_signers=test_signers,
    )
    rules = [(name, value, value == int(value), 'a whole number') for name, value in integers.items()]
    rules += [
        ('num_glosses', num_glosses, 1 <= num_glosses <= 20000, '1 .. 20,000'),
        (
            'num_signers',
            num_signers,
            3 <= num_signers <= 100000,
            '3 .. 100,000 (train, val and test have different signers)',
        ),
        ('seed', seed, 0 <= seed < 1 << 63, '0 .. 2**63 - 1'),
        (
            'length',
            length,
            len(length) == 2 and 1 <= length[0] <= length[1],
            'fewest and most frames, 1 <= fewest <= most',
        ),
        ('val_signers', val_signers, val_signers >= 1, '1 or more'),
        ('test_signers', test_signers, test_signers >= 1, '1 or more'),
        (
            'val_signers + test_signers',
            held_out,
            held_out < num_signers,
            f'fewer than num_signers = {num_signers}',
        ),
        ('left_handed', left_handed, 0 <= left_handed <= 1, '0 .. 1'),
        ('variety', variety, 0 <= variety <= 3, '0 .. 3'),
        ('detector', detector, 0 <= detector <= 5, '0 .. 5'),
    ]
    for name, value, good, allowed in rules:
        if not good:
            raise UserValueError(f'SyntheticSigns: {name} = {value}; give {allowed}')


_JOINT_INDEX = {joint: index for index, joint in enumerate(list(BODY_JOINTS) + list(SIGN_49.joints[:42]))}


def _columns(layout: Layout) -> Tuple[ndarray, ndarray]:
    """Columns of the layout's joints that are generated, and each one's index among the 55.

    Raises:
        ValueError: None is generated.
    """
    pairs = [
        (column, _JOINT_INDEX[joint]) for column, joint in enumerate(layout.joints) if joint in _JOINT_INDEX
    ]
    if not pairs:
        raise UserValueError(
            f'SyntheticSigns makes none of the joints of layout {layout.name!r}; choose one '
            'with named hands or arms, such as hands_42'
        )
    columns, sources = zip(*pairs)
    return np.array(columns), np.array(sources)
