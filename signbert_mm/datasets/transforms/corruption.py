"""Joints of hands and trunk masked or displaced for a whole clip (ST-Consistency)."""

from typing import Callable, Sequence, Union

import torch

from ...draws import Draws
from ...layouts.hand import NUM_HAND_JOINTS
from ...registry import TRANSFORMS
from .base import BatchTransform, Compose, check_share, check_whole, run_steps
from .masking import first_in_random_order

NUM_HANDS_JOINTS = 2 * NUM_HAND_JOINTS


@TRANSFORMS.register_module()
class RandomJointMask(BatchTransform):
    """Masks or distorts joints of hands and trunk, the same joints in all frames of a clip.

    The paper names a joint mask. Its size and odds are not given. The authors' code corrupts 25 of the 49
    joints: with equal odds it zeroes them, or multiplies them by a 2x2 matrix with entries uniform in [-1, 1]
    (``num_joints=25, corrupt=0.5``).

    Args:
        num_joints (int): How many of the 49 joints, exactly.
        prob (float): Probability that a clip is changed.
        corrupt (float): Probability that the joints of a changed clip are multiplied by a matrix. Otherwise
            they are masked, which means missing: score 0.

    Reads and replaces ``hands`` (B, T, 2, 21, 2), ``hand_scores``, ``trunk`` (B, T, 7, 2), ``trunk_scores``.
    Call it after :class:`HandCrop` and :class:`NormalizeTrunk`, before :class:`MirrorLeftHand`;
    :class:`ZeroMissing` then zeroes what is masked.

    Raises:
        ValueError: ``num_joints`` is no whole number in 0 .. 49, or ``prob`` or ``corrupt`` is no
            probability.
    """

    def __init__(self, num_joints: int = 10, prob: float = 0.5, corrupt: float = 0.0) -> None:
        # 42 of the hands and 7 of the trunk.
        check_whole('RandomJointMask', low=0, high=49, num_joints=num_joints)
        check_share('RandomJointMask', prob=prob, corrupt=corrupt)
        self.num_joints, self.prob, self.corrupt = num_joints, prob, corrupt

    def __call__(self, batch: dict, draws: Draws) -> dict:
        joints = NUM_HANDS_JOINTS + batch['trunk'].shape[2]
        # A clip that is not changed has no joint picked.
        # (B,)
        number = draws.bernoulli('joint_mask/touch', self.prob).to(torch.int64) * self.num_joints
        # (B, 49)
        picked = first_in_random_order(draws.upper_bits('joint_mask/joint', joints), number)
        distort = draws.bernoulli('joint_mask/corrupt', self.corrupt)[:, None]
        matrix = draws.uniform('joint_mask/matrix', 2, 2, low=-1.0, high=1.0)
        distorted, masked = picked & distort, picked & ~distort
        for points, scores, part in (
            ('hands', 'hand_scores', slice(0, NUM_HANDS_JOINTS)),
            ('trunk', 'trunk_scores', slice(NUM_HANDS_JOINTS, None)),
        ):
            # One choice for the clip, broadcast over its frames.
            # (B, 1, 2, 21), (B, 1, 7)
            shape = (len(picked), 1, *batch[scores].shape[2:])
            # Points are rows, so the matrix is transposed; it broadcasts over frames, hands and joints.
            product = batch[points] @ matrix.reshape(-1, *[1] * (len(shape) - 2), 2, 2).transpose(-1, -2)
            batch[points] = torch.where(distorted[:, part].reshape(*shape, 1), product, batch[points])
            batch[scores] = batch[scores] * ~masked[:, part].reshape(shape)
        return batch


@TRANSFORMS.register_module()
class RandomChoice(BatchTransform):
    """Applies to each clip one of several transforms, with equal odds.

    The transforms must not change shapes or keys.

    Args:
        transforms (Sequence[dict | Callable]): Configs or transforms.
    """

    def __init__(self, transforms: Sequence[Union[dict, Callable]]) -> None:
        self.transforms = Compose(transforms).transforms

    def __call__(self, batch: dict, draws: Draws) -> dict:
        # (B,)
        choice = draws.integers('choice', len(self.transforms))
        out = dict(batch)
        # All run on the whole batch with their own draws; each clip then takes the tensors of its choice. A
        # choice per clip would wait for the device.
        for option, transform in enumerate(self.transforms):
            made = run_steps([transform], dict(batch), draws.child(f'choice{option}'))
            for key, value in made.items():
                # A tensor that the transform left alone is the same object.
                if value is not batch.get(key):
                    out[key] = torch.where(
                        (choice == option).reshape(-1, *[1] * (value.ndim - 1)), value, out[key]
                    )
        return out
