"""Masked joint modelling, masked frame modelling, identity (SignBERT section 3.2)."""

from typing import Sequence

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...names import as_names
from ...registry import TRANSFORMS
from .base import BatchTransform, ConstantIndex, check_share, check_whole

OPERATIONS = ('joint', 'frame', 'identity')
"""Value ``i + 1`` in ``operation`` means ``OPERATIONS[i]``; 0 means not chosen."""


@TRANSFORMS.register_module()
class MaskHandTokens(BatchTransform):
    """Chooses tokens (one hand in one frame) for reconstruction and disturbs them.

    Exactly ``floor(ratio n + 1/2)`` of a clip's n valid tokens are chosen (the paper does not say whether the
    share is exact). A missing hand is never chosen. Each chosen token gets one of ``operations``, with equal
    odds:

    - joint: m ~ U{1..max_joints} of the 21 joints are each, with equal odds, zeroed or moved by an offset
      uniform in +-``offset`` of the crop.
    - frame: all joints are zeroed.
    - identity: nothing changes.

    Args:
        ratio (float): Share of the valid tokens; 50 % in the paper.
        operations (Sequence[str]): The operations in use.
        max_joints (int): M; not given in the paper.
        offset (float): Largest move, as a fraction of the crop; not given in the paper.

    Reads ``hands``, ``hand_valid``; call it after mirroring and augmentation and before :class:`ZeroMissing`.
    Sets ``target`` to the undisturbed ``hands`` and adds ``chosen`` (B, T, 2) bool, ``operation`` (B, T, 2)
    int64 (see :data:`OPERATIONS`) and ``disturbed`` (B, T, 2, 21) int64: 0 untouched, 1 zeroed, 2 moved.

    Raises:
        ValueError: An operation is unknown, repeated or none is given; ``ratio`` is outside [0, 1];
            ``max_joints`` is no whole number in 1..21.
    """

    masks = True

    def __init__(
        self,
        ratio: float = 0.5,
        operations: Sequence[str] = OPERATIONS,
        max_joints: int = 7,
        offset: float = 0.25,
    ) -> None:
        operations = as_names(operations)
        if not operations or set(operations) - set(OPERATIONS) or len(set(operations)) != len(operations):
            raise UserValueError(
                f'MaskHandTokens: operations must be some of {OPERATIONS}, each once, got {operations}'
            )
        check_share('MaskHandTokens', ratio=ratio)
        check_whole('MaskHandTokens', high=21, max_joints=max_joints)
        self.ratio, self.operations = ratio, operations
        self.max_joints, self.offset = max_joints, offset
        self.codes = ConstantIndex([OPERATIONS.index(name) + 1 for name in operations])

    def __call__(self, batch: dict, draws: Draws) -> dict:
        hands, valid = batch['hands'], batch['hand_valid']
        tokens, joints = valid.shape[1:], hands.shape[1:4]

        # Sort tokens by random keys and choose the first `count`. The key 2**62 puts missing hands last.
        # (B, 2T)
        order = _unequal(draws.upper_bits('mask/token', *tokens).flatten(1)).masked_fill(
            ~valid.flatten(1), 1 << 62
        )
        count = torch.floor(valid.flatten(1).sum(1) * self.ratio + 0.5).to(torch.int64)
        chosen = _smallest(order, count).reshape_as(valid) & valid

        codes = self.codes.on(hands.device)
        # Draws are made for every token, chosen or not, so that shapes do not depend on values.
        operation = codes[draws.integers('mask/operation', len(self.operations), *tokens)] * chosen
        joint_token, frame_token = operation == 1, operation == 2

        # (B, T, 2)
        number = 1 + draws.integers('mask/joint_count', self.max_joints, *tokens)
        # (B, T, 2, 21)
        picked = first_in_random_order(draws.upper_bits('mask/joint', *joints), number)
        picked = picked & joint_token[..., None]
        # A picked joint is moved or zeroed; a masked frame is zeroed as a whole.
        moved = picked & draws.bernoulli('mask/move', 0.5, *joints)
        zeroed = (picked & ~moved) | frame_token[..., None]
        offset = draws.uniform('mask/offset', *joints, 2, low=-self.offset, high=self.offset)

        # The target is the input before any disturbance. `hands` below is a new tensor.
        batch['target'] = hands
        batch['hands'] = (hands + offset * moved[..., None]) * ~zeroed[..., None]
        batch['chosen'] = chosen
        batch['operation'] = operation
        batch['disturbed'] = zeroed.to(torch.int64) + 2 * moved
        return batch


def first_in_random_order(bits: Tensor, count: Tensor) -> Tensor:
    """Picks ``count`` (...) of K items, each subset with equal odds: bool (..., K).

    ``bits`` (..., K) are random numbers of :meth:`Draws.upper_bits`.
    """
    return _smallest(_unequal(bits), count)


def _unequal(bits: Tensor) -> Tensor:
    """Makes 24-bit integers (..., K) unequal and keeps their order."""
    # Of equal numbers the earlier becomes the smaller. A sort need not be stable, and may differ by device.
    return bits * bits.shape[-1] + torch.arange(bits.shape[-1], device=bits.device)


def _smallest(keys: Tensor, count: Tensor) -> Tensor:
    """Which ``count`` (...) of ``keys`` (..., K), all unequal, are the smallest: bool (..., K)."""
    # The largest key that is still picked. For a count of 0 any index serves: the last line picks nothing.
    last = keys.sort(dim=-1)[0].gather(-1, (count[..., None] - 1).clamp(min=0))
    return (keys <= last) & (count[..., None] > 0)
