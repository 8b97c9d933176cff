"""Trunk, motion, joint masks, choices and views, by hand and in loops."""

import numpy as np
import pytest
import torch

from signbert_mm.datasets.transforms import (
    Compose,
    HandCrop,
    MakeViews,
    MaskHandTokens,
    MirrorLeftHand,
    Motion,
    NormalizeTrunk,
    RandomAffine,
    RandomChoice,
    RandomFlip,
    RandomJointMask,
    ZeroMissing,
    steps_in,
    without_masks,
)
from signbert_mm.draws import Draws
from signbert_mm.layouts import get_layout
from signbert_mm.registry import TRANSFORMS

SIGN = get_layout('sign_49')
PIPELINE = [
    dict(type='TemporalCropResize', clip_len=10, ratio=(0.3, 1.0), min_frames=4),
    dict(type='RandomFlip'),
    dict(type='HandCrop'),
    dict(type='NormalizeTrunk'),
    dict(type='RandomAffine', space='pose', rotation=30.0, scale=(0.7, 1.3)),
    dict(type='RandomJointMask', num_joints=10, prob=0.5),
    dict(type='MirrorLeftHand'),
    dict(type='ZeroMissing'),
    dict(type='Motion'),
]


def run(transform, batch, epoch=0):
    return transform(dict(batch), Draws(0, epoch, batch['index']))


def clips(count=4, frames=12, seed=0, layout=SIGN, low=0.0):
    generator = torch.Generator().manual_seed(seed)
    length = torch.tensor([frames, frames - 3, 1, frames])[:count]
    real = torch.arange(frames) < length[:, None]
    scores = torch.rand(count, frames, layout.num_joints, generator=generator) * (1 - low) + low
    scores = scores * (torch.rand(scores.shape, generator=generator) < 0.8) * real[..., None]
    size = torch.tensor([640.0, 480.0])
    return dict(
        keypoints=torch.rand(*scores.shape, 2, generator=generator) * size * (scores > 0)[..., None],
        scores=scores,
        length=length,
        image_size=size.expand(count, 2).clone(),
        index=torch.arange(count),
        label=torch.arange(count),
    )


def poses(count=200, frames=3, seed=0):
    """Hands and trunk, all joints found."""
    generator = torch.Generator().manual_seed(seed)
    return dict(
        hands=torch.rand(count, frames, 2, 21, 2, generator=generator),
        hand_scores=torch.ones(count, frames, 2, 21),
        hand_valid=torch.ones(count, frames, 2, dtype=torch.bool),
        trunk=torch.rand(count, frames, 7, 2, generator=generator),
        trunk_scores=torch.ones(count, frames, 7),
        length=torch.full((count,), frames),
        index=torch.arange(count),
    )


def all_joints(batch, hands='hands', trunk='trunk'):
    """(B, T, 49, ..): both hands, then the trunk."""
    return torch.cat([batch[hands].flatten(2, 3), batch[trunk]], dim=2)


@pytest.mark.parametrize('name', ['sign_49', 'coco_wholebody_133', 'mediapipe_holistic'])
def test_the_trunk_by_names(name):
    layout = get_layout(name)
    batch = clips(layout=layout)
    out = run(NormalizeTrunk(name), batch)
    joints = ['nose'] + [
        f'{side}_{joint}' for side in ('left', 'right') for joint in ('shoulder', 'elbow', 'wrist')
    ]
    for place, joint in enumerate(joints):
        source = layout.joints.index(joint)
        torch.testing.assert_close(out['trunk'][:, :, place, 0], batch['keypoints'][:, :, source, 0] / 640)
        torch.testing.assert_close(out['trunk'][:, :, place, 1], batch['keypoints'][:, :, source, 1] / 480)
        assert torch.equal(out['trunk_scores'][:, :, place], batch['scores'][:, :, source])


def test_padding_shows_no_trunk():
    batch = clips()
    batch['scores'][:] = 1  # a store's padding has none, but nothing depends on it
    out = run(NormalizeTrunk(), batch)
    assert torch.equal((out['trunk_scores'] > 0).all(-1), torch.arange(12) < batch['length'][:, None])


def test_a_layout_without_a_trunk():
    with pytest.raises(ValueError, match=r"layout 'hands_42' has no joint \['nose', .*layout='sign_49'"):
        NormalizeTrunk('hands_42')


@pytest.mark.parametrize('zero', ['first', 'last'])
def test_motion_by_loops(zero):
    batch = run(
        Compose([HandCrop(), NormalizeTrunk(), MirrorLeftHand(), ZeroMissing(), Motion(zero)]), clips()
    )
    points, scores = all_joints(batch), all_joints(batch, 'hand_scores', 'trunk_scores')
    motion = all_joints(batch['motion'])
    assert motion.shape == points.shape
    for clip in range(4):
        for time in range(12):
            before, after = (time - 1, time) if zero == 'first' else (time, time + 1)
            for joint in range(49):
                seen = (
                    before >= 0
                    and after < 12
                    and scores[clip, before, joint] > 0
                    and scores[clip, after, joint] > 0
                )
                expected = (
                    points[clip, after, joint] - points[clip, before, joint] if seen else torch.zeros(2)
                )
                assert torch.equal(motion[clip, time, joint], expected)
    assert motion[0].any() and not motion[2].any()  # a clip of one frame does not move
    assert not motion[:, 0 if zero == 'first' else -1].any()


def test_motion_that_jumps():
    """From (0, 0) and there, as the authors' code has it."""
    steps = [HandCrop(), NormalizeTrunk(), MirrorLeftHand(), ZeroMissing()]
    batch = run(Compose([*steps, Motion('last', missing='jump')]), clips())
    points, motion = all_joints(batch), all_joints(batch['motion'])
    assert torch.equal(motion[:, :-1], points[:, 1:] - points[:, :-1]) and not motion[:, -1].any()
    still = all_joints(run(Compose([*steps, Motion('last')]), clips())['motion'])
    assert ((motion != 0) & (still == 0)).any()


def test_motion_knows_two_ways():
    with pytest.raises(ValueError, match="Motion: zero must be 'first' or 'last', got 'both'"):
        Motion('both')
    with pytest.raises(ValueError, match="Motion: missing must be 'still' or 'jump', got 'both'"):
        Motion(missing='both')


def test_the_trunk_has_a_threshold_of_its_own():
    batch = run(Compose([HandCrop(), NormalizeTrunk()]), clips())
    out = run(ZeroMissing(0.5, trunk_threshold=0.0), batch)
    assert torch.equal(out['hand_scores'] > 0, batch['hand_scores'] >= 0.5)
    assert torch.equal(out['trunk_scores'], batch['trunk_scores'])
    out = run(ZeroMissing(0.0, trunk_threshold=0.5), batch)
    assert torch.equal(out['hand_scores'], batch['hand_scores'])
    assert torch.equal(out['trunk_scores'] > 0, batch['trunk_scores'] >= 0.5)
    assert torch.equal(out['hand_valid'], batch['hand_valid'])


def test_hands_alone_change_places():
    """Half of the clips; their trunk stays as it is."""
    batch = dict(poses(), location=torch.rand(200, 3, 2, 3), boxes=torch.rand(200, 3, 2, 3))
    batch['hand_valid'] = torch.rand(200, 3, 2) < 0.5
    out = run(RandomFlip(space='hands'), batch)
    turned = (out['hands'] != batch['hands']).flatten(1).any(1)
    assert 70 < int(turned.sum()) < 130
    for key in ('hands', 'hand_scores', 'hand_valid', 'location', 'boxes'):
        assert torch.equal(out[key][turned], batch[key][turned].flip(2))
        assert torch.equal(out[key][~turned], batch[key][~turned])
    assert torch.equal(out['trunk'], batch['trunk'])
    with pytest.raises(ValueError, match="RandomFlip: space must be 'image' or 'hands', got 'pose'"):
        RandomFlip(space='pose')


def test_the_authors_shear_is_about_zero():
    """x' = x + a y and y' = b x + y: (0, 0), a missing joint, stays where it is."""
    shear = dict(rotation=0.0, scale=(1.0, 1.0), shift=0.0, shear=1.0, shear_y=1.0)
    batch = poses()
    batch['hands'][:, :, :, 3] = 0
    out = run(RandomAffine(space='pose', centre=0.0, **shear), batch)
    for key in ('hands', 'trunk'):
        rows, found = batch[key].flatten(1, -2), out[key].flatten(1, -2)
        a, b = ((found - rows)[:, -1] / rows[:, -1].flip(-1)).unbind(-1)
        expected = torch.stack(
            [rows[..., 0] + a[:, None] * rows[..., 1], b[:, None] * rows[..., 0] + rows[..., 1]], -1
        )
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert a.abs().max() <= 1.001 and b.abs().max() <= 1.001
    assert not out['hands'][:, :, :, 3].any()


def test_joints_under_a_threshold_are_missing():
    batch = run(Compose([HandCrop(), NormalizeTrunk()]), clips())
    out = run(ZeroMissing(threshold=0.5), batch)
    for points, scores in (('hands', 'hand_scores'), ('trunk', 'trunk_scores')):
        kept = batch[scores] >= 0.5
        assert (
            torch.equal(out[scores], batch[scores] * kept)
            and torch.equal(out[points], batch[points] * kept[..., None])
            and not kept.all()
        )
    as_before = run(ZeroMissing(), batch)
    assert torch.equal(as_before['hand_scores'], batch['hand_scores']) and torch.equal(
        as_before['trunk'], batch['trunk'] * (batch['trunk_scores'] > 0)[..., None]
    )


def test_affine_of_a_pose_is_one_matrix_for_hands_and_trunk():
    batch = poses(6)
    options = dict(rotation=40.0, scale=(0.5, 1.5), stretch=0.2, shear=0.8, shear_y=0.6, shift=0.1)
    out = run(RandomAffine(space='pose', **options), batch, epoch=2)
    draws = Draws(0, 2, batch['index'])

    def drawn(name, low, high):
        return draws.uniform(f'affine/{name}', low=low, high=high).double().numpy()

    angle, scale, stretch = (
        drawn('rotation', -np.radians(40), np.radians(40)),
        drawn('scale', 0.5, 1.5),
        drawn('stretch', -0.2, 0.2),
    )
    shear, shear_y, shift = (
        drawn('shear', -0.8, 0.8),
        drawn('shear_y', -0.6, 0.6),
        draws.uniform('affine/shift', 2, low=-0.1, high=0.1).double().numpy(),
    )
    before, after = all_joints(batch).double().numpy(), all_joints(out).double().numpy()
    for clip in range(6):
        c, s = np.cos(angle[clip]), np.sin(angle[clip])
        matrix = np.array([[c, -s], [s, c]]) @ (
            scale[clip] * np.diag([np.exp(stretch[clip]), np.exp(-stretch[clip])])
        )
        matrix = matrix @ np.array([[1, shear[clip]], [shear_y[clip], 1]])
        expected = np.einsum('ij,tvj->tvi', matrix, before[clip] - 0.5) + 0.5 + shift[clip]
        np.testing.assert_allclose(after[clip], expected, rtol=1e-5, atol=1e-5)


def test_affine_of_a_pose_turns_a_mirrored_hand_the_other_way():
    batch = dict(poses(5), location=torch.rand(5, 3, 2, 3))
    turned = run(
        Compose([RandomAffine(space='pose', scale=(1.0, 1.0), shift=0.0, rotation=90.0), MirrorLeftHand()]),
        batch,
    )
    hands = batch['hands']
    angle = Draws(0, 0, batch['index']).uniform('affine/rotation', low=-np.pi / 2, high=np.pi / 2)
    for clip in range(5):
        c, s = angle[clip].cos(), angle[clip].sin()
        expected = (hands[clip, :, 0] - 0.5) @ torch.tensor([[c, -s], [s, c]]).T + 0.5
        expected[..., 0] = 1 - expected[..., 0]
        torch.testing.assert_close(turned['hands'][clip, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_an_unknown_space():
    with pytest.raises(ValueError, match="space must be 'image' or 'pose', got 'hand'"):
        RandomAffine(space='hand')


@pytest.mark.parametrize('corrupt', [0.0, 1.0, 0.5])
def test_joint_mask(corrupt):
    batch = poses(400)
    out = run(RandomJointMask(num_joints=25, prob=0.5, corrupt=corrupt), batch)
    before, after = all_joints(batch), all_joints(out)
    lost = (all_joints(out, 'hand_scores', 'trunk_scores') == 0).float()
    moved = (before != after).any(-1).float()
    # the same joints in all frames; exactly 25 of the 49 in a touched clip, and one way for all of a clip
    assert torch.equal(lost, lost[:, :1].expand_as(lost)) and torch.equal(
        moved, moved[:, :1].expand_as(moved)
    )
    counts = torch.stack([lost[:, 0].sum(1), moved[:, 0].sum(1)], 1)
    assert (
        set(map(tuple, counts.long().tolist()))
        == {0.0: {(0, 0), (25, 0)}, 1.0: {(0, 0), (0, 25)}, 0.5: {(0, 0), (25, 0), (0, 25)}}[corrupt]
    )
    touched = (counts.sum(1) > 0).float()
    assert abs(float(touched.mean()) - 0.5) < 0.1
    share = (lost + moved)[:, 0].mean(0) / touched.mean()  # every joint as likely
    assert (share - 25 / 49).abs().max() < 0.15
    matrix = Draws(0, 0, batch['index']).uniform('joint_mask/matrix', 2, 2, low=-1.0, high=1.0)
    expected = torch.einsum('bij,btvj->btvi', matrix, before)
    torch.testing.assert_close(
        after, torch.where(moved.bool()[..., None], expected, before), rtol=1e-5, atol=1e-6
    )


def test_masked_joints_become_zeros_without_motion():
    batch = dict(poses(3), location=torch.rand(3, 3, 2, 3))
    out = run(
        Compose([RandomJointMask(num_joints=49, prob=1.0), MirrorLeftHand(), ZeroMissing(), Motion()]), batch
    )
    assert not all_joints(out).any() and not all_joints(out['motion']).any() and out['hand_valid'].all()


def test_too_many_joints_to_mask():
    with pytest.raises(ValueError, match=r'num_joints must lie in 0\.\.49, got 50'):
        RandomJointMask(50)
    for wrong in (dict(num_joints=7.5), dict(prob=50), dict(corrupt=-0.5)):
        with pytest.raises(ValueError, match=f'RandomJointMask: {next(iter(wrong))} must lie in'):
            RandomJointMask(**wrong)


def test_choice_is_one_for_a_clip_with_its_own_draws():
    batch = poses(300)
    options = [
        RandomJointMask(num_joints=25, prob=1.0),
        RandomAffine(space='pose', rotation=0.0, scale=(1.0, 1.0), shift=0.0, shear=1.0, shear_y=1.0),
    ]
    out = run(RandomChoice(options), batch)
    choice = Draws(0, 0, batch['index']).integers('choice', 2)
    assert 100 < choice.sum() < 200
    for place, option in enumerate(options):
        expected = option(dict(batch), Draws(0, 0, batch['index']).child(f'choice{place}'))
        for key in ('hands', 'trunk', 'hand_scores', 'trunk_scores'):
            assert torch.equal(out[key][choice == place], expected[key][choice == place])


def test_views_differ_and_each_is_what_its_transforms_make():
    batch = clips()
    out = run(MakeViews(PIPELINE, num_views=2), batch, epoch=5)
    assert (
        len(out['views']) == 2
        and out['length'].tolist() == [10] * 4
        and torch.equal(out['keypoints'], batch['keypoints'])
    )
    first, second = out['views']
    for key, shape in (('hand_valid', (4, 10, 2)), ('trunk_valid', (4, 10)), ('frame_valid', (4, 10))):
        assert first[key].shape == shape and first[key].dtype == torch.bool
    for modality in ('joint', 'motion'):
        assert first[modality]['hands'].shape == (4, 10, 2, 21, 2) and first[modality]['trunk'].shape == (
            4,
            10,
            7,
            2,
        )
        assert not torch.equal(first[modality]['hands'], second[modality]['hands'])
    for place, view in enumerate(out['views']):
        made = Compose(PIPELINE)(dict(batch), Draws(0, 5, batch['index']).child(f'view{place}'))
        assert torch.equal(view['joint']['hands'], made['hands']) and torch.equal(
            view['motion']['trunk'], made['motion']['trunk']
        )
    alone = run(MakeViews(PIPELINE), {key: value[1:2] for key, value in batch.items()}, epoch=5)['views']
    assert len(alone) == 1
    torch.testing.assert_close(alone[0]['joint']['hands'], first['joint']['hands'][1:2], rtol=1e-4, atol=1e-4)


def test_a_flip_exchanges_hands_and_arms_together():
    batch = clips()
    make = [HandCrop(), NormalizeTrunk(), MirrorLeftHand(), ZeroMissing(), Motion()]
    plain = run(MakeViews(make), batch)['views'][0]
    flipped = run(MakeViews([RandomFlip(prob=1.0), *make]), batch)['views'][0]
    torch.testing.assert_close(
        flipped['joint']['hands'], plain['joint']['hands'].flip(2), rtol=1e-4, atol=1e-3
    )
    there = (plain['joint']['trunk'] != 0).any(-1, keepdim=True)
    mirrored = torch.stack([1 - plain['joint']['trunk'][..., 0], plain['joint']['trunk'][..., 1]], -1) * there
    torch.testing.assert_close(
        flipped['joint']['trunk'], mirrored[:, :, [0, 4, 5, 6, 1, 2, 3]], rtol=1e-4, atol=1e-5
    )


def test_padding_frames_are_not_valid():
    view = run(MakeViews([HandCrop(), NormalizeTrunk(), MirrorLeftHand(), ZeroMissing(), Motion()]), clips())[
        'views'
    ][0]
    real = torch.arange(12) < torch.tensor([12, 9, 1, 12])[:, None]
    assert (
        torch.equal(view['frame_valid'], real)
        and not view['hand_valid'][~real].any()
        and not view['trunk_valid'][~real].any()
    )


def test_views_without_motion_and_without_a_trunk():
    assert 'motion' not in run(MakeViews(PIPELINE[:-1]), clips())['views'][0]
    with pytest.raises(
        ValueError,
        match=r"MakeViews: its transforms leave no \['trunk', 'trunk_scores'\]; "
        r'they need .*NormalizeTrunk',
    ):
        run(MakeViews([HandCrop()]), clips())
    with pytest.raises(ValueError, match='num_views must be at least 1, got 0'):
        MakeViews([], num_views=0)


@pytest.mark.parametrize(
    'last', [ZeroMissing(threshold=0.5), Compose([ZeroMissing(threshold=0.5), ZeroMissing()]), None]
)
def test_a_hand_whose_joints_the_threshold_takes_is_missing(last):
    batch = poses(count=3, frames=2)
    batch.update(
        location=torch.ones(3, 2, 2, 3),
        chosen=batch['hand_valid'].clone(),
        operation=torch.ones(3, 2, 2, dtype=torch.int64),
    )
    batch['hand_scores'][0, 0, 0] = 0.4
    batch['hand_scores'][1, 1, 1] = 0.4
    batch['hand_scores'][1, 1, 1, 5] = 0.6  # one joint is enough
    batch['hand_valid'][2, 0, 1] = False  # as it was
    expected = torch.ones(3, 2, 2, dtype=torch.bool)
    expected[0, 0, 0] = expected[2, 0, 1] = False
    if last is None:  # whatever takes the scores
        batch['hand_scores'] = batch['hand_scores'] * (batch['hand_scores'] > 0.5)
        view = run(MakeViews([lambda batch, draws: batch]), batch)['views'][0]
        assert torch.equal(view['hand_valid'], expected)
        return
    done = run(last, batch)
    assert torch.equal(done['hand_valid'], expected) and torch.equal(
        done['location'], expected[..., None] * torch.ones(3)
    )
    assert not done['hands'][0, 0, 0].any() and done['hands'][1, 1, 1, 5].any()
    assert (
        not done['chosen'][~expected].any()
        and not done['operation'][~expected].any()
        and done['chosen'][1].all()
    )
    plain = {key: batch[key] for key in ('hands', 'hand_scores', 'trunk', 'trunk_scores', 'index')}
    assert 'hand_valid' not in run(last, plain)


def test_hands_that_are_missing_only_to_the_threshold_change_nothing():
    """As ST-Consistency's configs have it: what an encoder sees is the same whether a hand was weak or was
    never found.
    """
    steps = [HandCrop(), NormalizeTrunk(), MirrorLeftHand(), ZeroMissing(threshold=0.5), Motion()]
    weak = clips(count=1, low=0.6)
    weak['scores'][:, 4, :21] = torch.where(weak['scores'][:, 4, :21] > 0, 0.45, 0.0)
    lost = dict(weak, scores=weak['scores'].clone())
    lost['scores'][:, 4, :21] = 0
    one, other = (run(MakeViews(steps), batch)['views'][0] for batch in (weak, lost))
    assert (
        torch.equal(one['hand_valid'], other['hand_valid'])
        and not one['hand_valid'][0, 4, 0]
        and one['hand_valid'][0, 3, 0]
    )
    assert torch.equal(one['joint']['hands'], other['joint']['hands'])


MASKED_VIEWS = dict(
    type='MakeViews',
    num_views=2,
    transforms=[
        dict(type='HandCrop'),
        dict(type='NormalizeTrunk'),
        dict(type='MirrorLeftHand'),
        dict(type='MaskHandTokens', ratio=0.5),
        dict(type='ZeroMissing'),
        dict(type='Motion'),
    ],
)


def test_each_view_has_masks_of_its_own():
    batch = clips(frames=8)
    out = run(TRANSFORMS.build(MASKED_VIEWS), batch)
    (plain,) = run(
        MakeViews([step for step in MASKED_VIEWS['transforms'] if 'Mask' not in step['type']]), batch
    )['views']
    for view in out['views']:
        hands, disturbed = view['joint']['hands'], view['disturbed']
        torch.testing.assert_close(view['target'], plain['joint']['hands'])
        assert torch.equal(view['hand_valid'], plain['hand_valid'])
        found = view['hand_valid'].flatten(1).sum(1)
        assert torch.equal(view['chosen'].flatten(1).sum(1), torch.floor(found / 2 + 0.5).long())
        assert torch.equal(view['operation'] > 0, view['chosen'])
        assert (hands[disturbed == 1] == 0).all()
        assert torch.equal(hands[disturbed == 0], view['target'][disturbed == 0])
    first, second = out['views']
    assert not torch.equal(first['chosen'], second['chosen'])
    assert 'target' not in plain


def test_a_masked_joint_has_no_motion():
    view = run(TRANSFORMS.build(MASKED_VIEWS), clips(frames=8))['views'][0]
    hands, moved = view['joint']['hands'], view['motion']['hands']
    there = (view['hand_scores'] > 0) & (view['disturbed'] != 1)
    for clip, frame, hand, joint in np.ndindex(*there.shape):
        before = frame > 0 and bool(there[clip, frame - 1, hand, joint])
        if before and there[clip, frame, hand, joint]:
            expected = hands[clip, frame, hand, joint] - hands[clip, frame - 1, hand, joint]
        else:
            expected = torch.zeros(2)
        torch.testing.assert_close(moved[clip, frame, hand, joint], expected)


def test_masks_are_left_out_of_views_too():
    views = TRANSFORMS.build(MASKED_VIEWS)
    mirror = MirrorLeftHand()
    (kept, same) = without_masks([MaskHandTokens(), views, mirror])
    assert same is mirror
    assert kept is not views
    assert any(step.masks for step in steps_in([views]))
    assert not any(step.masks for step in steps_in([kept]))
    assert 'target' not in run(kept, clips())['views'][0]
