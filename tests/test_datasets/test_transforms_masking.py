"""Masks against the statement of SignBERT section 3.2, token by token."""

import math

import pytest
import torch

from signbert_mm.datasets.transforms import OPERATIONS, MaskHandTokens
from signbert_mm.datasets.transforms.masking import _smallest, _unequal
from signbert_mm.draws import Draws

JOINT, FRAME, IDENTITY = 1, 2, 3


def tokens(count=40, frames=16, seed=0):
    """Clips with every share of found hands, none and all among them; coordinates away from 0, so that a zero
    is a mask.
    """
    generator = torch.Generator().manual_seed(seed)
    share = torch.linspace(0, 1, count)[:, None, None]
    valid = torch.rand(count, frames, 2, generator=generator) < share
    return dict(
        hands=0.5 + torch.rand(count, frames, 2, 21, 2, generator=generator),
        hand_valid=valid,
        hand_scores=valid[..., None] * torch.ones(21),
        index=torch.arange(count) + 100,
    )


def mask(batch, epoch=0, seed=0, **settings):
    return MaskHandTokens(**settings)(dict(batch), Draws(seed, epoch, batch['index']))


def many(**settings):
    """Some 40,000 tokens, all found, all chosen."""
    batch = dict(
        hands=torch.full((600, 32, 2, 21, 2), 0.5),
        hand_valid=torch.ones(600, 32, 2, dtype=torch.bool),
        index=torch.arange(600),
    )
    return batch, mask(batch, ratio=1.0, **settings)


def near(found, odds, count, sigmas=4.5):
    return abs(found / count - odds) < sigmas * math.sqrt(odds * (1 - odds) / count)


@pytest.mark.parametrize('ratio', [0.0, 0.25, 0.5, 0.8, 1.0])
def test_exactly_that_many_of_the_valid_tokens_are_chosen(ratio):
    batch = tokens()
    out = mask(batch, ratio=ratio)
    assert out['chosen'].dtype == torch.bool and not (out['chosen'] & ~batch['hand_valid']).any()
    for chosen, valid in zip(out['chosen'], batch['hand_valid']):
        assert int(chosen.sum()) == math.floor(ratio * int(valid.sum()) + 0.5)


def test_halves_are_rounded_up():
    batch = tokens(count=3, frames=4)
    batch['hand_valid'][:] = False
    batch['hand_valid'][0, 0, 1] = True  # 1 valid token: 0.5 -> 1
    batch['hand_valid'][1, :3, 0] = True  # 3: 1.5 -> 2
    assert mask(batch)['chosen'].flatten(1).sum(1).tolist() == [1, 2, 0]


def test_every_valid_token_is_chosen_equally_often():
    batch = dict(
        hands=torch.ones(4000, 3, 2, 21, 2),
        hand_valid=torch.ones(4000, 3, 2, dtype=torch.bool),
        index=torch.arange(4000),
    )
    batch['hand_valid'][:, 1, 0] = False  # 5 valid, 3 chosen
    often = mask(batch)['chosen'].sum(0)
    assert often[1, 0] == 0
    for t, h in ((0, 0), (0, 1), (1, 1), (2, 0), (2, 1)):
        assert near(int(often[t, h]), 3 / 5, 4000)


def test_each_token_is_what_its_operation_says():
    batch = tokens()
    out = mask(batch)
    hands, target, result = batch['hands'], out['target'], out['hands']
    assert torch.equal(target, hands)
    assert torch.equal(out['operation'] > 0, out['chosen'])
    assert set(out['operation'].unique().tolist()) == {0, JOINT, FRAME, IDENTITY}
    for clip, frame, hand in torch.cartesian_prod(
        torch.arange(40), torch.arange(16), torch.arange(2)
    ).tolist():
        place = (clip, frame, hand)
        operation, disturbed = int(out['operation'][place]), out['disturbed'][place]
        change = result[place] - hands[place]
        if operation == FRAME:
            assert not result[place].any() and (disturbed == 1).all()
        elif operation == JOINT:
            assert 1 <= int((disturbed > 0).sum()) <= 7
            assert not result[place][disturbed == 1].any()
            assert (change[disturbed == 2].abs() <= 0.25 + 1e-6).all() and (change[disturbed == 2] != 0).any(
                -1
            ).all()
            assert not change[disturbed == 0].any()
        else:
            assert not change.any() and not disturbed.any()


def test_what_it_was_given_is_not_written_to():
    batch = tokens()
    before = {key: value.clone() for key, value in batch.items()}
    out = mask(batch)
    assert all(torch.equal(batch[key], before[key]) for key in before)
    assert torch.equal(out['hand_scores'], batch['hand_scores'])  # the original confidence stays for the loss


@pytest.mark.parametrize(
    'operations', [OPERATIONS, ('joint', 'frame'), ('frame', 'identity'), ('identity', 'joint'), ('frame',)]
)
def test_operations_in_use_share_the_odds_equally(operations):
    _, out = many(operations=operations)
    count = out['operation'].numel()
    assert out['chosen'].all()
    for code, name in enumerate(OPERATIONS, start=1):
        found = int((out['operation'] == code).sum())
        assert (
            near(found, 1 / len(operations), count)
            if name in operations and len(operations) > 1
            else found == count * (name in operations)
        )


@pytest.mark.parametrize('most', [1, 3, 7, 21])
def test_the_number_of_joints_is_uniform(most):
    _, out = many(operations='joint', max_joints=most)
    numbers = (out['disturbed'] > 0).sum(-1).flatten()
    for number in range(1, most + 1):
        assert near(int((numbers == number).sum()), 1 / most, numbers.numel()) or most == 1
    assert int(numbers.min()) == 1 and int(numbers.max()) == most


def test_joints_are_picked_evenly_and_half_of_them_moved():
    batch, out = many(operations=('joint',))
    picked = out['disturbed'] > 0
    total = out['disturbed'][..., 0].numel()
    for joint in range(21):
        assert near(int(picked[..., joint].sum()), 4 / 21, total)  # 4 of 21 in the mean
    moved = out['disturbed'] == 2
    assert near(int(moved.sum()), 0.5, int(picked.sum()))
    # drawn per joint, not per token: in tokens with two joints all four outcomes are about equally likely
    pairs = out['disturbed'][picked.sum(-1) == 2]
    both_moved = int((pairs == 2).sum(-1).eq(2).sum())
    assert near(both_moved, 0.25, len(pairs))
    change = (out['hands'] - batch['hands'])[moved]
    assert change.min() >= -0.25 and change.max() < 0.25
    assert abs(float(change.mean())) < 0.002
    for quarter in range(4):
        inside = (change >= -0.25 + 0.125 * quarter) & (change < -0.125 + 0.125 * quarter)
        assert near(int(inside.sum()), 0.25, change.numel())
    assert abs(float(torch.corrcoef(change.T)[0, 1])) < 0.02  # x and y on their own


def test_offset_is_its_bound():
    batch, out = many(operations=('joint',), offset=0.1)
    change = (out['hands'] - batch['hands'])[out['disturbed'] == 2]
    assert 0.0999 < change.abs().max() <= 0.1 + 1e-6


def test_a_mask_depends_on_seed_epoch_and_clip_alone():
    batch = tokens()
    out = mask(batch, epoch=3, seed=1)
    order = torch.tensor([30, 2, 17])
    apart = mask({key: value[order] for key, value in batch.items()}, epoch=3, seed=1)
    for key in ('hands', 'chosen', 'operation', 'disturbed', 'target'):
        assert torch.equal(apart[key], out[key][order])
    for other in (
        mask(batch, epoch=4, seed=1),
        mask(batch, epoch=3, seed=2),
        mask({**batch, 'index': batch['index'] + 1}, epoch=3, seed=1),
    ):
        assert not torch.equal(other['chosen'], out['chosen']) and not torch.equal(
            other['disturbed'], out['disturbed']
        )


def test_padding_a_clip_leaves_its_mask():
    batch = tokens()
    longer = dict(batch)
    longer['hands'] = torch.cat([batch['hands'], torch.zeros(40, 5, 2, 21, 2)], 1)
    longer['hand_valid'] = torch.cat([batch['hand_valid'], torch.zeros(40, 5, 2, dtype=torch.bool)], 1)
    short, long = mask(batch), mask(longer)
    for key in ('hands', 'chosen', 'operation', 'disturbed'):
        assert torch.equal(long[key][:, :16], short[key])
        assert not long[key][:, 16:].any()


def test_equal_draws_fall_the_same_way_in_any_batch(monkeypatch):
    """24-bit draws do coincide in a large batch; sorting must then not depend on its surroundings."""
    batch = dict(
        hands=torch.rand(64, 32, 2, 21, 2),
        hand_valid=torch.ones(64, 32, 2, dtype=torch.bool),
        index=torch.arange(64),
    )
    whole = Draws.uniform

    def coarse(self, *args, **kwargs):
        return (whole(self, *args, **kwargs) * 4).floor() / 4

    monkeypatch.setattr(Draws, 'uniform', coarse)
    together = mask(batch)
    for clip in (0, 31, 63):
        alone = mask({key: value[clip : clip + 1] for key, value in batch.items()})
        assert torch.equal(alone['chosen'][0], together['chosen'][clip])
        assert torch.equal(alone['disturbed'][0], together['disturbed'][clip])


@pytest.mark.parametrize('frames', [1, 2])
def test_short_clips_and_a_batch_of_one(frames):
    batch = tokens(count=1, frames=frames)
    batch['hand_valid'][:] = True
    out = mask(batch)
    assert out['hands'].shape == (1, frames, 2, 21, 2) and int(out['chosen'].sum()) == frames


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(operations=()), 'operations must be some of'),
        (dict(operations=('joint', 'frames')), r"got \('joint', 'frames'\)"),
        (dict(operations=('joint', 'joint')), 'each once'),
        (dict(ratio=1.5), r'ratio must lie in \[0, 1\], got 1.5'),
        (dict(ratio=-0.1), 'ratio'),
        (dict(max_joints=0), r'max_joints must lie in 1\.\.21, got 0'),
        (dict(max_joints=22), 'max_joints'),
        (dict(max_joints=7.5), 'max_joints must lie in .*, got 7.5; give a whole number'),
    ],
)
def test_bad_arguments(settings, message):
    with pytest.raises(ValueError, match=f'MaskHandTokens: .*{message}'):
        MaskHandTokens(**settings)


@pytest.mark.parametrize('values', [3, 2**24])
def test_smallest_is_a_stable_rank(values):
    """Also among equal draws: the earlier first."""
    bits = torch.randint(values, (200, 21), generator=torch.Generator().manual_seed(0))
    count = torch.arange(200) % 22
    rank = bits.argsort(dim=1, stable=True).argsort(1)
    assert torch.equal(_smallest(_unequal(bits), count), rank < count[:, None])
