import pytest
import torch

from signbert_mm.datasets.transforms import KeepOneHand, MaskHandTokens, ZeroMissing
from signbert_mm.draws import Draws


def make_batch():
    scores = torch.ones(3, 2, 2, 21)
    scores[0, :, 0] *= 0.9  # the left hand is worse
    scores[1, 0, 1] = 0  # the right one is lost in a frame
    return dict(
        hands=torch.full((3, 2, 2, 21, 2), 0.5),
        hand_scores=scores,
        hand_valid=(scores > 0).any(-1),
        location=torch.ones(3, 2, 2, 3),
        length=torch.full((3,), 2),
    )


@pytest.mark.parametrize('hand, kept', [('left', [0, 0, 0]), ('right', [1, 1, 1]), ('better', [1, 0, 1])])
def test_one_hand_is_left(hand, kept):
    given, batch = make_batch(), KeepOneHand(hand)(make_batch(), None)
    for clip, slot in enumerate(kept):
        for key in ('hand_scores', 'hand_valid', 'location'):
            assert torch.equal(batch[key][clip, :, slot], given[key][clip, :, slot])
            assert not batch[key][clip, :, 1 - slot].any()


def test_the_other_hand_is_never_chosen_and_holds_zeros():
    draws = Draws(0, 0, torch.arange(3))
    batch = KeepOneHand('right')(make_batch(), draws)
    batch = ZeroMissing()(MaskHandTokens(ratio=1.0, operations=('joint',))(batch, draws), draws)
    assert torch.equal(batch['chosen'], batch['hand_valid']) and not batch['chosen'][:, :, 0].any()
    assert not batch['target'][:, :, 0].any() and not batch['hands'][:, :, 0].any()


def test_unknown_hand():
    with pytest.raises(ValueError, match="hand must be one of left, right, better, got 'both'"):
        KeepOneHand('both')
