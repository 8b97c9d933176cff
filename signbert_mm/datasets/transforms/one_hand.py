"""Clips of a single hand, as in STB."""

import torch

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from .base import BatchTransform

WHICH = ('left', 'right', 'better')


@TRANSFORMS.register_module()
class KeepOneHand(BatchTransform):
    """Keeps one hand of each clip and makes the other missing (SignBERT Table 1 rebuilds single hands).

    Args:
        hand (str): 'left', 'right', or 'better': the hand with the larger sum of scores over the clip, the
            right one at equal sums.

    Reads ``hand_scores`` (B, T, 2, 21), ``hand_valid`` (B, T, 2), ``location`` (B, T, 2, 3); all three are 0
    for the other hand afterwards. Call it after :class:`HandCrop` and before :class:`MaskHandTokens`.

    Raises:
        ValueError: ``hand`` is unknown, or the batch is masked.
    """

    def __init__(self, hand: str = 'better') -> None:
        if hand not in WHICH:
            raise UserValueError(f'KeepOneHand: hand must be one of {", ".join(WHICH)}, got {hand!r}')
        self.hand = hand

    def __call__(self, batch: dict, draws: Draws) -> dict:
        self.refuse_masked(batch)
        scores = batch['hand_scores']
        # (B, 2)
        total = scores.sum((1, 3))
        right = (
            torch.full_like(total[:, 0], self.hand == 'right', dtype=torch.bool)
            if self.hand != 'better'
            else total[:, 1] >= total[:, 0]
        )
        # One decision for the clip, broadcast over its frames.
        # (B, 1, 2)
        kept = torch.stack([~right, right], dim=-1)[:, None]
        batch['hand_scores'] = scores * kept[..., None]
        batch['hand_valid'] = batch['hand_valid'] & kept
        batch['location'] = batch['location'] * kept[..., None]
        return batch
