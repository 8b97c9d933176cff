import math

import numpy as np
import pytest
import torch

from signbert_mm.datasets.transforms import (
    HandCrop,
    KeepOneHand,
    MaskHandTokens,
    MirrorLeftHand,
    RandomAffine,
    RandomFlip,
    RandomHandDrop,
    RandomJointJitter,
)
from signbert_mm.draws import Draws
from signbert_mm.layouts import get_layout


def run(transform, batch, epoch=0, seed=0):
    return transform(dict(batch), Draws(seed, epoch, batch['index']))


def skeletons(count=6, frames=3, layout='sign_49'):
    generator = torch.Generator().manual_seed(0)
    joints = get_layout(layout).num_joints
    size = torch.tensor([[640.0, 480.0], [1920.0, 1080.0]]).repeat(count // 2, 1)
    return dict(
        keypoints=torch.rand(count, frames, joints, 2, generator=generator) * size[:, None, None],
        scores=torch.rand(count, frames, joints, generator=generator),
        image_size=size,
        length=torch.full((count,), frames),
        index=torch.arange(count),
    )


def tokens(count=50, frames=16, share=0.7):
    generator = torch.Generator().manual_seed(1)
    valid = torch.rand(count, frames, 2, generator=generator) < share
    valid[0] = False
    valid[1] = False
    valid[1, 3, 1] = True
    hands = torch.rand(count, frames, 2, 21, 2, generator=generator)
    scores = torch.rand(count, frames, 2, 21, generator=generator) * valid[..., None]
    return dict(
        hands=hands,
        hand_valid=valid,
        hand_scores=scores,
        location=torch.rand(count, frames, 2, 3) * valid[..., None],
        index=torch.arange(count),
    )


@pytest.mark.parametrize('layout', ['sign_49', 'coco_wholebody_133', 'trunk_7'])
def test_flip_by_names(layout):
    batch = skeletons(layout=layout)
    out = run(RandomFlip(layout, prob=1.0), batch)
    for place, name in enumerate(get_layout(layout).joints):
        if name.startswith('face'):
            continue
        swapped = name.replace('left', '?').replace('right', 'left').replace('?', 'right')
        other = get_layout(layout).joints.index(swapped)
        torch.testing.assert_close(
            out['keypoints'][:, :, place, 0],
            batch['image_size'][:, None, 0] - batch['keypoints'][:, :, other, 0],
        )
        assert torch.equal(out['keypoints'][:, :, place, 1], batch['keypoints'][:, :, other, 1])
        assert torch.equal(out['scores'][:, :, place], batch['scores'][:, :, other])


def test_flip_twice_and_never():
    batch = skeletons()
    twice = run(RandomFlip(prob=1.0), run(RandomFlip(prob=1.0), batch))
    torch.testing.assert_close(twice['keypoints'], batch['keypoints'], rtol=0, atol=1e-3)
    assert torch.equal(twice['scores'], batch['scores'])
    never = run(RandomFlip(prob=0.0), batch)
    assert torch.equal(never['keypoints'], batch['keypoints']) and torch.equal(
        never['scores'], batch['scores']
    )


def test_flip_is_one_draw_a_clip():
    batch = skeletons(count=400, frames=2)
    out, always = run(RandomFlip(), batch), run(RandomFlip(prob=1.0), batch)
    flipped = torch.tensor([torch.equal(a, b) for a, b in zip(out['keypoints'], always['keypoints'])])
    kept = torch.tensor([torch.equal(a, b) for a, b in zip(out['keypoints'], batch['keypoints'])])
    assert (flipped ^ kept).all() and 150 < flipped.sum() < 250
    assert all(
        torch.equal(out['scores'][i], (always if flipped[i] else batch)['scores'][i]) for i in range(400)
    )


def test_flip_of_another_layout():
    with pytest.raises(ValueError, match=r"RandomFlip.*: 49 joints found.*'hands_42' has 42"):
        run(RandomFlip('hands_42'), skeletons())


def affine_matrix(draws, clip, rotation, scale, stretch, shear):
    """rotation @ scale and stretch @ shear, in float64."""
    angle = math.radians(float(draws.uniform('affine/rotation', low=-rotation, high=rotation)[clip]))
    factor = float(draws.uniform('affine/scale', low=scale[0], high=scale[1])[clip])
    u = float(draws.uniform('affine/stretch', low=-stretch, high=stretch)[clip])
    s = float(draws.uniform('affine/shear', low=-shear, high=shear)[clip])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return turn @ (factor * np.diag([math.exp(u), math.exp(-u)])) @ np.array([[1, s], [0, 1]])


@pytest.mark.parametrize(
    'settings',
    [
        dict(),
        dict(rotation=40.0, scale=(0.5, 2.0), stretch=0.3, shear=0.4, shift=0.2),
        dict(rotation=0.0, scale=(1.0, 1.0), shift=0.1),
    ],
)
def test_affine_against_explicit_matrices(settings):
    batch = skeletons()
    out = run(RandomAffine(**settings), batch, epoch=2, seed=5)
    full = dict(rotation=15.0, scale=(0.9, 1.1), stretch=0.0, shear=0.0, shift=0.05)
    full.update(settings)
    draws = Draws(5, 2, batch['index'])
    for clip in range(6):
        matrix = affine_matrix(draws, clip, full['rotation'], full['scale'], full['stretch'], full['shear'])
        size = batch['image_size'][clip].double().numpy()
        shift = (
            draws.uniform('affine/shift', 2, low=-full['shift'], high=full['shift'])[clip].double().numpy()
        )
        for frame in range(3):
            for joint in range(0, 49, 7):
                point = batch['keypoints'][clip, frame, joint].double().numpy()
                expected = matrix @ (point - size / 2) + size / 2 + shift * size
                np.testing.assert_allclose(
                    out['keypoints'][clip, frame, joint].numpy(), expected, rtol=1e-4, atol=2e-3
                )
    assert torch.equal(out['scores'], batch['scores'])


def test_affine_of_nothing_moves_nothing():
    batch = skeletons()
    out = run(RandomAffine(rotation=0.0, scale=(1.0, 1.0), shift=0.0), batch)
    torch.testing.assert_close(out['keypoints'], batch['keypoints'], rtol=0, atol=1e-3)


def test_affine_stays_within_its_ranges_and_uses_them():
    batch = skeletons(count=500, frames=1)
    centre = (batch['image_size'] / 2)[:, None]
    # (B, 1, 2, 2): the centre, and a point beside it
    batch['keypoints'] = torch.stack([centre, centre + torch.tensor([100.0, 0.0])], dim=2)
    out = run(RandomAffine(rotation=20.0, scale=(0.8, 1.3), shift=0.1), batch)['keypoints'][:, 0]
    arm = out[:, 1] - out[:, 0]
    angle = torch.atan2(arm[:, 1], arm[:, 0]).rad2deg()
    length = arm.norm(dim=-1) / 100
    shift = (out[:, 0] - centre[:, 0]) / batch['image_size']
    for values, low, high in (
        (angle, -20, 20),
        (length, 0.8, 1.3),
        (shift[:, 0], -0.1, 0.1),
        (shift[:, 1], -0.1, 0.1),
    ):
        assert values.min() >= low - 1e-3 and values.max() <= high + 1e-3
        assert values.min() < low + 0.05 * (high - low) and values.max() > high - 0.05 * (high - low)


@pytest.mark.parametrize('scale', [(0.0, 1.0), (-1.0, 1.0), (1.2, 0.8)])
def test_affine_of_an_impossible_scale(scale):
    with pytest.raises(ValueError, match=r'RandomAffine: scale must be .*0 < low <= high'):
        RandomAffine(scale=scale)


def test_jitter_is_small_and_a_joint():
    batch = tokens()
    out = run(RandomJointJitter(0.02), batch)
    change = out['hands'] - batch['hands']
    assert change.abs().max() <= 0.02 + 1e-6 and change.abs().max() > 0.0199
    assert abs(float(change.mean())) < 5 * 0.02 / 3**0.5 / change.numel() ** 0.5
    # joints of a hand move on their own
    assert abs(float(torch.corrcoef(change[..., 0].reshape(-1, 21).T).triu(1).abs().max())) < 0.2
    assert torch.equal(run(RandomJointJitter(0.0), batch)['hands'], batch['hands'])


def test_hand_drop_loses_a_share_of_the_found_hands():
    batch = tokens(count=200)
    out = run(RandomHandDrop(0.2), batch)
    before, after = batch['hand_valid'], out['hand_valid']
    assert not (after & ~before).any()
    lost = float((before & ~after)[2:].sum() / before[2:].sum())
    assert abs(lost - 0.2) < 0.03
    assert torch.equal(out['hand_scores'], batch['hand_scores'] * after[..., None])
    assert torch.equal(out['location'], batch['location'] * after[..., None])


def test_hand_drop_never_loses_the_last_hand_of_a_clip():
    batch = tokens()
    out = run(RandomHandDrop(1.0), batch)
    assert torch.equal(out['hand_valid'].flatten(1).any(1), batch['hand_valid'].flatten(1).any(1))
    assert out['hand_valid'][1].sum() == 1 and not out['hand_valid'][0].any()


@pytest.mark.parametrize(
    'transform',
    [RandomFlip(), RandomAffine(), RandomJointJitter(), RandomHandDrop()],
    ids=lambda t: type(t).__name__,
)
def test_a_clip_is_changed_the_same_in_any_batch(transform):
    batch = {**skeletons(), **tokens(count=6)}
    batch['hand_valid'] = batch['hand_valid'] | True
    together = run(transform, batch, epoch=3)
    picked = torch.tensor([4, 1])
    apart = run(transform, {key: value[picked] for key, value in batch.items()}, epoch=3)
    for key in together:
        torch.testing.assert_close(apart[key], together[key][picked], rtol=1e-6, atol=1e-4)
    later = run(transform, batch, epoch=4)
    assert any(not torch.equal(later[key], together[key]) for key in together)


@pytest.mark.parametrize('transform', [RandomFlip, RandomHandDrop])
@pytest.mark.parametrize('prob', [10, -0.1, float('nan'), '0.5'])
def test_a_probability_lies_between_0_and_1(transform, prob):
    with pytest.raises(ValueError, match=rf'{transform.__name__}: prob must lie in \[0, 1\], got'):
        transform(prob=prob)


@pytest.mark.parametrize(
    'transform',
    [
        MirrorLeftHand(),
        RandomFlip(space='hands'),
        RandomAffine(space='pose'),
        RandomHandDrop(),
        KeepOneHand(),
        HandCrop(),
    ],
)
def test_what_changes_hands_comes_before_the_mask(transform):
    """The pose to rebuild would stay as it was."""
    masked = run(MaskHandTokens(), tokens())
    with pytest.raises(ValueError, match=rf'{type(transform).__name__} before MaskHandTokens'):
        run(transform, masked)
