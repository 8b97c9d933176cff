"""Masked joint modelling, masked frame modelling, identity (SignBERT section 3.2)."""

from typing import Sequence

import torch

from ...draws import Draws
from ...registry import TRANSFORMS
from .base import BatchTransform, constant_index

OPERATIONS = ('joint', 'frame', 'identity')
"""Value ``i + 1`` in ``operation`` means ``OPERATIONS[i]``; 0 means not chosen."""


@TRANSFORMS.register_module()
class MaskHandTokens(BatchTransform):
    """Chooses tokens (one hand in one frame) to rebuild and disturbs them.

    Exactly ``floor(ratio n + 1/2)`` of a clip's n valid tokens are chosen (that it is exact is not given in the paper). Each gets one of
    ``operations`` with equal odds. joint: m ~ U{1..max_joints} of the 21 joints are each, with equal odds, zeroed or moved by an offset uniform
    in +-``offset`` of the crop. frame: all joints zeroed. identity: nothing. A token is never chosen where the hand is missing.

    Args:
        ratio (float): Share of the valid tokens; 50 % in the paper.
        operations (Sequence[str]): Those in use; one left out shares its odds among the others.
        max_joints (int): M; not given in the paper.
        offset (float): Largest move, as a fraction of the crop; not given in the paper.

    Reads ``hands``, ``hand_valid``; call it after mirroring and augmentation and before :class:`ZeroMissing`. Sets ``target`` to the undisturbed
    ``hands`` and adds ``chosen`` (B, T, 2) bool, ``operation`` (B, T, 2) int64 (see :data:`OPERATIONS`) and ``disturbed`` (B, T, 2, 21) int64:
    0 untouched, 1 zeroed, 2 moved.

    Raises:
        ValueError: An operation is unknown, repeated or none is given; ``ratio`` is outside [0, 1]; ``max_joints`` is outside 1..21.
    """

    def __init__(self, ratio: float = 0.5, operations: Sequence[str] = OPERATIONS, max_joints: int = 7, offset: float = 0.25) -> None:
        if not operations or set(operations) - set(OPERATIONS) or len(set(operations)) != len(operations):
            raise ValueError(f'MaskHandTokens: operations must be some of {OPERATIONS}, each once, got {tuple(operations)}')
        if not 0 <= ratio <= 1:
            raise ValueError(f'MaskHandTokens: ratio must lie in [0, 1], got {ratio}')
        if not 1 <= max_joints <= 21:
            raise ValueError(f'MaskHandTokens: max_joints must lie in 1..21, got {max_joints}')
        self.ratio, self.operations, self.max_joints, self.offset = ratio, tuple(operations), max_joints, offset

    def __call__(self, batch: dict, draws: Draws) -> dict:
        hands, valid = batch['hands'], batch['hand_valid']
        tokens, joints = valid.shape[1:], hands.shape[1:4]

        # a random order of the valid tokens; the first ones are chosen. Stable: equal draws must not fall differently in another batch or on a GPU
        order = draws.uniform('mask/token', *tokens).masked_fill(~valid, 2.0).flatten(1)  # (B, 2T)
        rank = order.argsort(dim=1, stable=True).argsort(1).reshape_as(valid)
        count = torch.floor(valid.flatten(1).sum(1) * self.ratio + 0.5)
        chosen = (rank < count[:, None, None]) & valid

        codes = constant_index(tuple(OPERATIONS.index(name) + 1 for name in self.operations), hands.device)
        operation = codes[draws.integers('mask/operation', len(self.operations), *tokens)] * chosen
        joint_token, frame_token = operation == 1, operation == 2

        number = 1 + draws.integers('mask/joint_count', self.max_joints, *tokens)  # (B, T, 2)
        picked = draws.uniform('mask/joint', *joints).argsort(dim=-1, stable=True).argsort(-1) < number[..., None]  # (B, T, 2, 21)
        picked = picked & joint_token[..., None]
        moved = picked & draws.bernoulli('mask/move', 0.5, *joints)
        zeroed = (picked & ~moved) | frame_token[..., None]
        offset = draws.uniform('mask/offset', *joints, 2, low=-self.offset, high=self.offset)

        batch['target'] = hands
        batch['hands'] = (hands + offset * moved[..., None]) * ~zeroed[..., None]
        batch['chosen'] = chosen
        batch['operation'] = operation
        batch['disturbed'] = zeroed.to(torch.int64) + 2 * moved
        return batch
