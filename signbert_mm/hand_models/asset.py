"""The arrays that make up a hand model.

They come from MANO's file or from the free hand's file in this package.
"""

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Tuple, Union

import numpy as np
from mmengine.logging import print_log

from ..errors import UserValueError
from ..files.arrays import ArrayFileError, read_npz

NUM_VERTICES, NUM_FACES, NUM_JOINTS, NUM_BETAS, NUM_POSE = 778, 1538, 16, 10, 45
# The wrist, then three joints each of index, middle, little, ring, thumb (MANO's order).
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
# The 16 joints above and the tips of index, middle, ring, little, thumb (16..20), in the order of
# COCO-WholeBody's hands.
TO_COCO = (0, 13, 14, 15, 20, 1, 2, 3, 16, 4, 5, 6, 17, 10, 11, 12, 18, 7, 8, 9, 19)
FREE_HAND_FILE = Path(__file__).parent / 'data' / 'free_hand.npz'
FREE_HASH = '167a753a451a1a01'
# Earlier builds computed the free hand at import. The processor's last bits then decided which of two bones
# moves the skin at vertices 634, 734 and 736. All else agreed to 1e-9. These are the hashes of the other
# seven outcomes, which count as the same hand.
OLDER_FREE_HASHES = (
    'f603c8ac32c1fce6',
    '96cdee0c9e2222ba',
    'af8f857e71925376',
    'bdca7e225dc11832',
    'ee4a36108c8b591f',
    '9f18ff4957a1684b',
    '6f7c763a8f1e024e',
)

_SHAPES = dict(
    template=(NUM_VERTICES, 3),
    faces=(NUM_FACES, 3),
    joint_regressor=(NUM_JOINTS, NUM_VERTICES),
    skinning=(NUM_VERTICES, NUM_JOINTS),
    shape_basis=(NUM_VERTICES, 3, NUM_BETAS),
    pose_basis=(NUM_VERTICES, 3, 135),
    pca=(NUM_POSE, NUM_POSE),
    mean=(NUM_POSE,),
)


class HandAssetError(UserValueError):
    """A hand asset that cannot be used.

    The message names the source, the field, what was found and what to do.
    """


@dataclass(frozen=True)
class HandAsset:
    """The arrays of one right hand.

    Lengths in metres; fingers point to -x, the thumb to +z, the back of the hand to +y.

    Args:
        template (ndarray): Shape (778, 3), vertices of the mean shape in the zero pose.
        faces (ndarray): Shape (1538, 3) int64, counter-clockwise seen from outside.
        joint_regressor (ndarray): Shape (16, 778); ``joint_regressor @ vertices`` gives the joints of an
            unposed hand. Each row sums to 1; within 5 % a warning is logged.
        skinning (ndarray): Shape (778, 16), linear blend weights; each row sums to 1.
        shape_basis (ndarray): Shape (778, 3, 10), metres for each unit of beta.
        pose_basis (ndarray): Shape (778, 3, 135), metres for each unit of (R - I), joints 1..15, each matrix
            row by row.
        pca (ndarray): Shape (45, 45), a row for each pose axis; axis-angle of joints 1..15.
        mean (ndarray): Shape (45,), axis-angle in radians of the mean pose; 0 is the template's pose.
        tip_ids (tuple[int]): Fingertip vertices of thumb, index, middle, ring, little.
        name (str): 'free' or 'mano'.
        source (str): Its file or origin, for messages.
        parents (tuple[int]): Parent of each joint, MANO's order.
        side (str): 'right'; left hands are mirrored before they meet the model.

    Raises:
        HandAssetError: A field has another shape, holds NaN or infinity, or names a vertex or joint that does
            not exist; or the weights of a vertex do not sum to 1.
    """

    template: np.ndarray
    faces: np.ndarray
    joint_regressor: np.ndarray
    skinning: np.ndarray
    shape_basis: np.ndarray
    pose_basis: np.ndarray
    pca: np.ndarray
    mean: np.ndarray
    tip_ids: Tuple[int, ...]
    name: str
    source: str = ''
    parents: Tuple[int, ...] = PARENTS
    side: str = 'right'
    hash: str = field(init=False, default='')

    def __post_init__(self) -> None:
        digest = hashlib.sha256(repr((tuple(self.tip_ids), tuple(self.parents), self.side)).encode())
        for name, shape in _SHAPES.items():
            array = self._checked(name, shape)
            # Models share an asset, so its arrays are read-only. The frozen class needs object.__setattr__.
            array.setflags(write=False)
            object.__setattr__(self, name, array)
            # Numbers of a file: rounding to 1e-6 gives the same integers on any machine.
            digest.update(np.rint(array * 1e6).astype('<i8').tobytes())
        object.__setattr__(self, 'hash', digest.hexdigest()[:16])
        self._check_meaning()

    def _fail(self, name: str, actual: str, expected: str) -> None:
        raise HandAssetError(
            f'hand asset {self.source or self.name!r}: field {name!r}: found {actual}, expected {expected}'
        )

    def _checked(self, name: str, shape: Tuple[int, ...]) -> np.ndarray:
        try:
            array = np.array(getattr(self, name), dtype=np.int64 if name == 'faces' else np.float64)
        except (TypeError, ValueError) as error:
            self._fail(
                name,
                f'{type(getattr(self, name)).__name__} that is no array of numbers ({error})',
                f'an array of shape {shape}',
            )
        if array.shape != shape:
            self._fail(name, f'shape {array.shape}', f'{shape}')
        if not np.isfinite(array).all():
            self._fail(
                name,
                f'{int((~np.isfinite(array)).sum())} NaN or infinite values',
                'finite numbers; get the file again',
            )
        return array

    def _check_meaning(self) -> None:
        if self.faces.min() < 0 or self.faces.max() >= NUM_VERTICES:
            self._fail(
                'faces', f'vertex ids {self.faces.min()}..{self.faces.max()}', f'0..{NUM_VERTICES - 1}'
            )
        for name, tolerance in (('skinning', 1e-3), ('joint_regressor', 0.05)):
            sums = getattr(self, name).sum(1)
            off, actual = np.abs(sums - 1).max(), f'rows that sum to {sums.min():.4f}..{sums.max():.4f}'
            if off > tolerance:
                self._fail(name, actual, 'rows that sum to 1')
            if off > 1e-3:
                # Some files differ. Their joints are then scaled about the origin by as much.
                print_log(
                    f'hand asset {self.source or self.name!r}: field {name!r}: {actual} instead of 1; '
                    'it is used as it is',
                    logger='current',
                    level=logging.WARNING,
                )
        if tuple(self.parents) != PARENTS:
            self._fail('parents', f'{tuple(self.parents)}', f"MANO's tree {PARENTS}")
        if len(set(self.tip_ids)) != 5 or not all(0 <= tip < NUM_VERTICES for tip in self.tip_ids):
            self._fail(
                'tip_ids', f'{tuple(self.tip_ids)}', f'five different vertices in 0..{NUM_VERTICES - 1}'
            )
        # Joint 4 is the middle finger's first. A right hand's fingers point to -x.
        joints = self.joints
        if self.side != 'right' or joints[4, 0] >= joints[0, 0]:
            self._fail(
                'side',
                'a left hand (its fingers point to +x)',
                'the right hand: one right-hand asset decodes both; give MANO_RIGHT.pkl',
            )

    @property
    def joints(self) -> np.ndarray:
        """The template's joints in MANO's order: shape (16, 3), metres."""
        return self.joint_regressor @ self.template


def read_free_hand(path: Union[str, Path]) -> HandAsset:
    """The free hand as :func:`write_free_hand` stored it, bit by bit.

    Raises:
        HandAssetError: The file is missing, damaged, or holds another hand than this version's.
    """
    remedy = (
        'install signbert_mm again (pip install --force-reinstall --no-deps), or get the file from the '
        'repository'
    )
    try:
        fields = read_npz(path)
        arrays = {name: fields[name] for name in (*_SHAPES, 'tip_ids')}
    except (OSError, KeyError, ArrayFileError) as error:
        raise HandAssetError(
            f"{path}: the free hand's file cannot be read ({type(error).__name__}: {error}); {remedy}"
        ) from error
    tips = tuple(arrays.pop('tip_ids').tolist())
    asset = HandAsset(**arrays, tip_ids=tips, name='free', source='free hand')
    if asset.hash != FREE_HASH:
        raise HandAssetError(
            f'{path}: holds a hand with hash {asset.hash}, that of this version is {FREE_HASH}; {remedy}'
        )
    return asset


def write_free_hand(asset: HandAsset, path: Union[str, Path]) -> None:
    """The arrays of a hand as a compressed .npz of float64 and int64."""
    arrays = {name: getattr(asset, name) for name in _SHAPES}
    np.savez_compressed(path, **arrays, tip_ids=np.array(asset.tip_ids, dtype=np.int64))
