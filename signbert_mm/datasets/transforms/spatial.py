"""Augmentation of whole skeletons, before the crop."""

import math
from typing import Tuple

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...layouts import get_layout
from ...registry import TRANSFORMS
from .base import BatchTransform, ConstantIndex, check_share


@TRANSFORMS.register_module()
class RandomFlip(BatchTransform):
    """Mirrors whole clips: ``x -> width - x``, and left and right joints are exchanged.

    The result looks like the sign of a left-handed signer. After :class:`HandCrop` and
    :class:`MirrorLeftHand` this is the same as exchanging the two hand slots.

    Args:
        layout (str): Layout of ``keypoints``.
        prob (float): Probability for a clip.
        space (str): 'image': ``keypoints``, before the crop. 'hands': the two hand slots change places and
            the trunk stays as it is (ST-Consistency's authors' code); after :class:`MirrorLeftHand`.

    Raises:
        ValueError: ``prob`` is no probability, ``space`` is unknown, or the batch is masked.
    """

    def __init__(self, layout: str = 'sign_49', prob: float = 0.5, space: str = 'image') -> None:
        if space not in ('image', 'hands'):
            raise UserValueError(f"RandomFlip: space must be 'image' or 'hands', got {space!r}")
        check_share('RandomFlip', prob=prob)
        self.layout, self.prob, self.space = get_layout(layout), prob, space
        self.order = ConstantIndex(self.layout.flip_order)

    def __call__(self, batch: dict, draws: Draws) -> dict:
        self.refuse_masked(batch)
        if self.space == 'hands':
            # (B,)
            flip = draws.bernoulli('flip', self.prob)
            for key in ('hands', 'hand_scores', 'hand_valid', 'location', 'boxes'):
                if key in batch:
                    value = batch[key]
                    batch[key] = torch.where(flip.view(-1, *[1] * (value.ndim - 1)), value.flip(2), value)
            return batch
        keypoints, scores = batch['keypoints'], batch['scores']
        self.layout.check_joints(
            keypoints.shape[2], "RandomFlip (its layout and the data set's must be the same)"
        )
        order = self.order.on(keypoints.device)
        # (B,)
        flip = draws.bernoulli('flip', self.prob)
        # Mirroring alone would leave a left hand under the right hand's joints.
        mirrored = keypoints.index_select(2, order)
        mirrored = torch.stack(
            [batch['image_size'][:, 0, None, None] - mirrored[..., 0], mirrored[..., 1]], dim=-1
        )
        batch['keypoints'] = torch.where(flip[:, None, None, None], mirrored, keypoints)
        batch['scores'] = torch.where(flip[:, None, None], scores.index_select(2, order), scores)
        return batch


@TRANSFORMS.register_module()
class RandomAffine(BatchTransform):
    """Rotates, scales, stretches, shears and shifts the whole skeleton, with one draw for a clip.

    The ranges are not given in the papers.

    Args:
        rotation (float): Angle uniform in +- this many degrees.
        scale (tuple[float, float]): Common factor, uniform.
        stretch (float): x is scaled by exp(u) and y by exp(-u), u uniform in +- this.
        shear (float): Shear factor of x along y, uniform in +- this.
        shift (float): Shift uniform in +- this fraction of the image size, for each axis.
        shear_y (float): Shear factor of y along x, uniform in +- this.
        space (str): 'image': ``keypoints`` about the image's centre, before the crop. The crop then removes
            scale and shift from the hands. 'pose': ``hands`` in their crops and ``trunk`` in the image, each
            about the point ``centre``, by the same matrix and shift; after :class:`HandCrop` and
            :class:`NormalizeTrunk`, before :class:`MirrorLeftHand`.
        centre (float): x and y of the point that stays where it is in 'pose' (ST-Consistency's authors' code:
            0, after :class:`MirrorLeftHand`).

    Raises:
        ValueError: ``scale`` is not a range above 0, ``space`` is unknown, or the batch is masked.
    """

    def __init__(
        self,
        rotation: float = 15.0,
        scale: Tuple[float, float] = (0.9, 1.1),
        stretch: float = 0.0,
        shear: float = 0.0,
        shift: float = 0.05,
        shear_y: float = 0.0,
        space: str = 'image',
        centre: float = 0.5,
    ) -> None:
        if scale[0] <= 0 or scale[0] > scale[1]:
            raise UserValueError(f'RandomAffine: scale must be (low, high) with 0 < low <= high, got {scale}')
        if space not in ('image', 'pose'):
            raise UserValueError(f"RandomAffine: space must be 'image' or 'pose', got {space!r}")
        self.rotation, self.scale, self.stretch = rotation, scale, stretch
        self.shear, self.shear_y, self.shift = shear, shear_y, shift
        self.space, self.centre = space, centre

    def __call__(self, batch: dict, draws: Draws) -> dict:
        self.refuse_masked(batch)
        # Points are rows, so the matrix is transposed.
        matrix = self._matrix(draws).transpose(-1, -2)
        shift = draws.uniform('affine/shift', 2, low=-self.shift, high=self.shift)
        if self.space == 'pose':
            hands, trunk, middle = batch['hands'], batch['trunk'], self.centre
            batch['hands'] = (hands - middle) @ matrix[:, None, None] + (middle + shift)[:, None, None, None]
            batch['trunk'] = (trunk - middle) @ matrix[:, None] + (middle + shift)[:, None, None]
            return batch
        centre = batch['image_size'] / 2
        moved = (batch['keypoints'] - centre[:, None, None]) @ matrix[:, None]
        batch['keypoints'] = moved + (centre + shift * batch['image_size'])[:, None, None]
        return batch

    def _matrix(self, draws: Draws) -> Tensor:
        """Returns rotation @ diag(wide, high) @ [[1, shear], [shear_y, 1]], shape (B, 2, 2)."""
        radians = math.radians(self.rotation)
        angle = draws.uniform('affine/rotation', low=-radians, high=radians)
        scale = draws.uniform('affine/scale', low=self.scale[0], high=self.scale[1])
        stretch = draws.uniform('affine/stretch', low=-self.stretch, high=self.stretch)
        shear = draws.uniform('affine/shear', low=-self.shear, high=self.shear)
        shear_y = draws.uniform('affine/shear_y', low=-self.shear_y, high=self.shear_y)
        cos, sin = torch.cos(angle), torch.sin(angle)
        wide, high = scale * torch.exp(stretch), scale * torch.exp(-stretch)
        # The product is written out: four entries need no batched matrix products.
        rows = [
            [cos * wide - sin * high * shear_y, cos * wide * shear - sin * high],
            [sin * wide + cos * high * shear_y, sin * wide * shear + cos * high],
        ]
        return torch.stack([torch.stack(row, -1) for row in rows], -2)


@TRANSFORMS.register_module()
class RandomJointJitter(BatchTransform):
    """Moves each joint of each hand crop by a small offset, like a detector's noise (not in the paper).

    Args:
        sigma (float): Offset uniform in +- this fraction of the crop.
    """

    def __init__(self, sigma: float = 0.01) -> None:
        self.sigma = sigma

    def __call__(self, batch: dict, draws: Draws) -> dict:
        hands = batch['hands']
        batch['hands'] = hands + draws.uniform('jitter', *hands.shape[1:], low=-self.sigma, high=self.sigma)
        return batch


@TRANSFORMS.register_module()
class RandomHandDrop(BatchTransform):
    """Makes detected hands missing, like a detector that fails (not in the paper).

    A clip never loses all its hands.

    Args:
        prob (float): Probability for a token (one hand in one frame).

    Raises:
        ValueError: ``prob`` is no probability, or the batch is masked.
    """

    def __init__(self, prob: float = 0.1) -> None:
        check_share('RandomHandDrop', prob=prob)
        self.prob = prob

    def __call__(self, batch: dict, draws: Draws) -> dict:
        self.refuse_masked(batch)
        valid = batch['hand_valid']
        kept = valid & ~draws.bernoulli('hand_drop', self.prob, *valid.shape[1:])
        # A clip without any hand has nothing to learn from, so it keeps all of them.
        none_left = ~kept.flatten(1).any(1)
        kept = torch.where(none_left[:, None, None], valid, kept)
        batch['hand_valid'] = kept
        batch['hand_scores'] = batch['hand_scores'] * kept[..., None]
        batch['location'] = batch['location'] * kept[..., None]
        return batch
