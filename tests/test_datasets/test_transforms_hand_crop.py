"""Crops against boxes computed by hand and by plain loops in float64."""

import numpy as np
import pytest
import torch

from signbert_mm.datasets.transforms import Compose, HandCrop, MirrorLeftHand, RandomFlip, ZeroMissing
from signbert_mm.draws import Draws
from signbert_mm.layouts import Layout, get_layout

SIZE = (640.0, 480.0)
LEFT, RIGHT = 0, 1
SIGN = get_layout('sign_49')


def run(transform, batch, epoch=0):
    return transform(dict(batch), Draws(0, epoch, batch['index']))


def make_batch(keypoints, scores, length=None, size=SIZE):
    keypoints, scores = (
        torch.as_tensor(keypoints, dtype=torch.float32),
        torch.as_tensor(scores, dtype=torch.float32),
    )
    count, frames = scores.shape[:2]
    return dict(
        keypoints=keypoints,
        scores=scores,
        length=torch.as_tensor(length or [frames] * count),
        image_size=torch.tensor([size] * count, dtype=torch.float32),
        index=torch.arange(count),
    )


def one_frame(hand=None, scores=None, size=SIZE, arm=None, side=LEFT, layout='sign_49'):
    """One clip of one frame with one hand; all else is missing. ``arm`` = ((shoulder, elbow, wrist),
    score).
    """
    layout = get_layout(layout)
    keypoints, all_scores = np.zeros((1, 1, layout.num_joints, 2)), np.zeros((1, 1, layout.num_joints))
    place = list(layout.parts['left_hand' if side == LEFT else 'right_hand'])
    if hand is not None:
        keypoints[0, 0, place] = hand
        all_scores[0, 0, place] = 1 if scores is None else scores
    if arm is not None:
        name = 'left' if side == LEFT else 'right'
        place = layout.indices([f'{name}_shoulder', f'{name}_elbow', f'{name}_wrist'])
        keypoints[0, 0, list(place)], all_scores[0, 0, list(place)] = arm
    return make_batch(keypoints, all_scores, size=size)


def spread_hand(x0=300.0, y0=200.0, width=50.0, height=100.0):
    """21 joints whose extremes are exactly these."""
    unit = np.random.RandomState(0).rand(21, 2)
    unit = (unit - unit.min(0)) / (unit.max(0) - unit.min(0))
    return unit * [width, height] + [x0, y0]


def reference_crop(
    keypoints,
    scores,
    length,
    size,
    layout,
    padding=2.2,
    joint_threshold=0.1,
    min_joints=10,
    arm_threshold=0.8,
    min_extent=1.0,
):
    """One clip, in plain loops: boxes (T, 2, 3), valid (T, 2), hands (T, 2, 21, 2)."""
    boxes = np.tile([0.0, 0.0, 1.0], (len(scores), 2, 1))
    valid, hands = np.zeros((len(scores), 2), bool), np.zeros((len(scores), 2, 21, 2))
    for t in range(length):
        for slot, name in enumerate(('left', 'right')):
            joints = list(layout.parts[f'{name}_hand'])
            seen = [j for j in joints if scores[t, j] > joint_threshold]
            if len(seen) >= min_joints:
                low, high = keypoints[t, seen].min(0), keypoints[t, seen].max(0)
                centre, side = (low + high) / 2, padding * max((high - low).max(), min_extent)
            elif seen and f'{name}_elbow' in layout.joints:
                arm = list(layout.indices([f'{name}_shoulder', f'{name}_elbow', f'{name}_wrist']))
                if not (scores[t, arm] > arm_threshold).all():
                    continue
                shoulder, elbow, wrist = keypoints[t, arm]
                centre = wrist + 0.33 * (wrist - elbow)
                side = 1.1 * max(
                    np.linalg.norm(wrist - elbow), 0.9 * np.linalg.norm(elbow - shoulder), min_extent
                )
            else:
                continue
            for axis in (0, 1):
                if side > size[axis]:
                    centre[axis] = size[axis] / 2
                else:
                    centre[axis] = min(max(centre[axis], side / 2), size[axis] - side / 2)
            valid[t, slot], boxes[t, slot] = True, [*centre, side]
            hands[t, slot] = (keypoints[t, joints] - centre) / side + 0.5
    return boxes, valid, hands


def test_a_box_by_hand():
    # joints span x 300..350 and y 200..300: centre (325, 250), side 2.2 * 100
    batch = run(HandCrop(), one_frame(spread_hand()))
    torch.testing.assert_close(batch['boxes'][0, 0], torch.tensor([[325.0, 250.0, 220.0], [0.0, 0.0, 1.0]]))
    assert batch['hand_valid'][0, 0].tolist() == [True, False]
    crop = batch['hands'][0, 0, LEFT]
    expected = (spread_hand() - [325, 250]) / 220 + 0.5
    np.testing.assert_allclose(crop.numpy(), expected, atol=1e-5)
    assert abs(float(crop[:, 1].max() - crop[:, 1].min()) - 1 / 2.2) < 1e-5
    # location: centre over width and height, side over the larger one
    torch.testing.assert_close(batch['location'][0, 0, LEFT], torch.tensor([325 / 640, 250 / 480, 220 / 640]))
    assert not batch['location'][0, 0, RIGHT].any() and not batch['hands'][0, 0, RIGHT].any()


@pytest.mark.parametrize(
    'corner, centre',
    [
        ((10, 20), (110, 110)),
        ((580, 370), (530, 370)),
        ((10, 370), (110, 370)),
        ((580, 200), (530, 250)),
        ((300, 20), (325, 110)),
    ],
)
def test_boxes_are_shifted_into_the_image(corner, centre):
    batch = run(HandCrop(), one_frame(spread_hand(*corner)))
    torch.testing.assert_close(batch['boxes'][0, 0, LEFT], torch.tensor([*centre, 220.0]))
    half = 110
    assert half <= centre[0] <= 640 - half and half <= centre[1] <= 480 - half


def test_a_box_larger_than_the_image_is_centred_on_it():
    # higher than the image, but not wider: y is centred, x still shifted
    batch = run(HandCrop(), one_frame(spread_hand(x0=600, y0=100, width=30, height=220)))
    torch.testing.assert_close(batch['boxes'][0, 0, LEFT], torch.tensor([640 - 242.0, 240.0, 484.0]))
    batch = run(HandCrop(), one_frame(spread_hand(x0=5, y0=5), size=(100, 200)))
    torch.testing.assert_close(batch['boxes'][0, 0, LEFT], torch.tensor([50.0, 100.0, 220.0]))


@pytest.mark.parametrize('seen, valid', [(9, False), (10, True), (21, True)])
def test_ten_joints_make_a_hand(seen, valid):
    scores = np.r_[np.full(seen, 0.11), np.full(21 - seen, 0.1)]  # 0.1 is not above 0.1
    batch = run(HandCrop(), one_frame(spread_hand(), scores))
    assert batch['hand_valid'][0, 0, LEFT] == valid
    if valid:
        hand = spread_hand()[:seen]
        low, high = hand.min(0), hand.max(0)
        np.testing.assert_allclose(
            batch['boxes'][0, 0, LEFT], [*(low + high) / 2, 2.2 * (high - low).max()], rtol=1e-5
        )
        np.testing.assert_allclose(batch['hand_scores'][0, 0, LEFT], scores, rtol=1e-6)
    else:
        assert not batch['hand_scores'].any() and not batch['hands'].any()
        assert batch['boxes'][0, 0, LEFT].tolist() == [0, 0, 1]


def test_joints_that_are_missing_do_not_shape_the_box():
    hand, scores = spread_hand(), np.ones(21)
    hand[3], scores[3] = (0, 0), 0
    hand[7], scores[7] = (639, 479), 0.05
    batch = run(HandCrop(), one_frame(hand, scores))
    kept = np.delete(hand, [3, 7], 0)
    side = 2.2 * (kept.max(0) - kept.min(0)).max()
    np.testing.assert_allclose(batch['boxes'][0, 0, LEFT, 2], side, rtol=1e-5)
    assert batch['hand_scores'][0, 0, LEFT, [3, 7]].tolist() == pytest.approx([0, 0.05])


@pytest.mark.parametrize('side', [LEFT, RIGHT])
def test_few_joints_take_the_box_from_the_arm(side):
    scores = np.r_[np.ones(9), np.zeros(12)]
    # forearm (60, 80): 100 long; upper arm: 100 long
    shoulder, elbow, wrist = (200, 100), (200, 200), (260, 280)
    batch = run(HandCrop(), one_frame(spread_hand(), scores, arm=((shoulder, elbow, wrist), 0.81), side=side))
    torch.testing.assert_close(
        batch['boxes'][0, 0, side], torch.tensor([260 + 0.33 * 60, 280 + 0.33 * 80, 110.0])
    )
    assert batch['hand_valid'][0, 0, side] and not batch['hand_valid'][0, 0, 1 - side]
    np.testing.assert_allclose(batch['hand_scores'][0, 0, side], scores)
    # a longer upper arm sets the side: 1.1 * 0.9 * 200
    batch = run(HandCrop(), one_frame(spread_hand(), scores, arm=(((200, 0), elbow, wrist), 0.81), side=side))
    assert float(batch['boxes'][0, 0, side, 2]) == pytest.approx(198)


def test_enough_joints_leave_the_arm_out():
    arm = (((200, 100), (200, 200), (260, 280)), 1.0)
    batch = run(HandCrop(), one_frame(spread_hand(), arm=arm))
    torch.testing.assert_close(batch['boxes'][0, 0, LEFT], torch.tensor([325.0, 250.0, 220.0]))


@pytest.mark.parametrize(
    'joint_scores, arm_scores',
    [
        (np.r_[np.ones(9), np.zeros(12)], 0.8),
        (np.r_[np.ones(9), np.zeros(12)], [1, 1, 0.5]),
        (np.zeros(21), 1.0),
        (np.full(21, 0.05), 1.0),
    ],
    ids=['arm at the threshold', 'wrist unsure', 'no joint', 'no joint above its threshold'],
)
def test_a_hand_that_neither_joints_nor_arm_give_is_missing(joint_scores, arm_scores):
    arm = (((200, 100), (200, 200), (260, 280)), arm_scores)
    batch = run(HandCrop(), one_frame(spread_hand(), joint_scores, arm=arm))
    assert (
        not batch['hand_valid'].any()
        and not batch['hand_scores'].any()
        and not batch['hands'].any()
        and not batch['location'].any()
    )
    assert batch['boxes'][0, 0].tolist() == [[0, 0, 1]] * 2


def test_without_arms_in_the_layout_there_is_no_second_way():
    scores = np.r_[np.ones(9), np.zeros(12)]
    batch = run(HandCrop('hands_42'), one_frame(spread_hand(), scores, layout='hands_42'))
    assert not batch['hand_valid'].any()
    batch = run(HandCrop('hands_42'), one_frame(spread_hand(), layout='hands_42'))
    torch.testing.assert_close(batch['boxes'][0, 0, LEFT], torch.tensor([325.0, 250.0, 220.0]))


def test_joints_that_coincide_stay_finite():
    batch = run(HandCrop(), one_frame(np.full((21, 2), 100.0)))
    assert batch['hand_valid'][0, 0, LEFT]
    torch.testing.assert_close(batch['boxes'][0, 0, LEFT], torch.tensor([100, 100, 2.2]))
    torch.testing.assert_close(batch['hands'][0, 0, LEFT], torch.full((21, 2), 0.5))
    arm = (((100, 100),) * 3, 1.0)
    batch = run(HandCrop(), one_frame(np.full((21, 2), 100.0), np.r_[1.0, np.zeros(20)], arm=arm))
    assert (
        batch['boxes'][0, 0, LEFT].tolist() == pytest.approx([100, 100, 1.1])
        and batch['hands'].isfinite().all()
    )


def test_padding_frames_have_no_hand():
    keypoints = np.tile(one_frame(spread_hand())['keypoints'].numpy(), (1, 4, 1, 1))
    scores = np.tile(one_frame(spread_hand())['scores'].numpy(), (1, 4, 1))
    batch = run(HandCrop(), make_batch(keypoints, scores, length=[3]))
    assert batch['hand_valid'][0, :, LEFT].tolist() == [True] * 3 + [False]
    assert not batch['hand_scores'][0, 3].any() and not batch['hands'][0, 3].any()


def random_clips(layout, count=6, frames=5, seed=0, size=SIZE):
    random = np.random.RandomState(seed)
    layout = get_layout(layout)
    keypoints = random.rand(count, frames, layout.num_joints, 2) * size
    for part in ('left_hand', 'right_hand'):  # hands of the size of hands, some of them over the border
        joints = list(layout.parts[part])
        centre = random.rand(count, frames, 1, 2) * size
        keypoints[:, :, joints] = (
            centre + random.randn(count, frames, 21, 2) * random.rand(count, frames, 1, 1) * 40
        )
    scores = random.rand(count, frames, layout.num_joints) * (
        random.rand(count, frames, layout.num_joints) < 0.9
    )
    lost = random.rand(count, frames, 2)
    for hand, part in enumerate(('left_hand', 'right_hand')):
        scores[:, :, list(layout.parts[part])] *= np.where(
            lost[:, :, hand] < 0.3, 0, np.where(lost[:, :, hand] < 0.6, 0.15, 1)
        )[..., None]
    if 'left_elbow' in layout.joints:
        arms = list(
            layout.indices(
                [f'{side}_{joint}' for side in ('left', 'right') for joint in ('shoulder', 'elbow', 'wrist')]
            )
        )
        scores[:, :, arms] = np.where(random.rand(count, frames, 1) < 0.7, 0.9, 0.7)
    keypoints = keypoints * (scores > 0)[..., None]
    return make_batch(keypoints, scores, length=(random.randint(1, frames + 1, count)).tolist(), size=size)


@pytest.mark.parametrize(
    'layout', ['sign_49', 'hands_42', 'coco_wholebody_133', 'mediapipe_holistic', 'openpose']
)
def test_random_clips_against_plain_loops(layout):
    batch = random_clips(layout, count=12)
    out = run(HandCrop(layout), batch)
    ways = set()
    for clip in range(12):
        keypoints, scores = batch['keypoints'][clip].double().numpy(), batch['scores'][clip].double().numpy()
        boxes, valid, hands = reference_crop(
            keypoints, scores, int(batch['length'][clip]), SIZE, get_layout(layout)
        )
        assert (out['hand_valid'][clip].numpy() == valid).all()
        np.testing.assert_allclose(out['boxes'][clip].numpy(), boxes, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(out['hands'][clip].numpy(), hands, rtol=1e-4, atol=2e-4)
        ways |= {*valid.flatten().tolist()}
    assert ways == {True, False}


def test_other_settings_against_plain_loops():
    settings = dict(padding=1.5, joint_threshold=0.4, min_joints=5, arm_threshold=0.85, min_extent=60.0)
    batch = random_clips('sign_49', seed=3)
    out = run(HandCrop(**settings), batch)
    for clip in range(6):
        keypoints, scores = batch['keypoints'][clip].double().numpy(), batch['scores'][clip].double().numpy()
        boxes, valid, _ = reference_crop(
            keypoints, scores, int(batch['length'][clip]), SIZE, SIGN, **settings
        )
        assert (out['hand_valid'][clip].numpy() == valid).all()
        np.testing.assert_allclose(out['boxes'][clip].numpy(), boxes, rtol=1e-4, atol=1e-3)


def test_what_it_was_given_is_not_written_to():
    batch = random_clips('sign_49')
    before = {key: value.clone() for key, value in batch.items()}
    run(Compose([RandomFlip(prob=1), HandCrop(), MirrorLeftHand(), ZeroMissing()]), batch)
    assert all(torch.equal(batch[key], before[key]) for key in before)


def test_a_layout_without_hands():
    with pytest.raises(ValueError, match=r"'trunk_7' has no part \['left_hand', 'right_hand'\]"):
        HandCrop('trunk_7')


def test_a_layout_whose_hands_are_not_in_a_row():
    mixed = Layout(
        'mixed',
        tuple(f'j{i}' for i in range(42)),
        parts=dict(left_hand=tuple(range(0, 42, 2)), right_hand=tuple(range(1, 42, 2))),
    )
    with pytest.raises(ValueError, match=r"21 joints in a row, but layout 'mixed'"):
        HandCrop(mixed)


def test_a_wrong_joint_count_names_both():
    with pytest.raises(ValueError, match=r"HandCrop.*: 42 joints found.*'sign_49' has 49.*hands_42"):
        run(HandCrop('sign_49'), random_clips('hands_42'))


def test_mirroring_touches_only_left_x():
    cropped = run(HandCrop(), random_clips('sign_49'))
    mirrored = run(MirrorLeftHand(), cropped)
    torch.testing.assert_close(mirrored['hands'][:, :, LEFT, :, 0], 1 - cropped['hands'][:, :, LEFT, :, 0])
    assert torch.equal(mirrored['hands'][..., 1], cropped['hands'][..., 1])
    assert torch.equal(mirrored['hands'][:, :, RIGHT], cropped['hands'][:, :, RIGHT])
    valid = cropped['hand_valid'][..., None]
    expected = cropped['location'].clone()
    expected[:, :, LEFT, 0] = 1 - expected[:, :, LEFT, 0]
    torch.testing.assert_close(mirrored['location'], expected * valid)
    no_side = dict(cropped, location=torch.zeros_like(cropped['location']))
    assert not run(MirrorLeftHand(), no_side)['location'].any()
    twice = run(MirrorLeftHand(), mirrored)
    torch.testing.assert_close(twice['hands'], cropped['hands'])
    for key in ('hand_scores', 'hand_valid', 'boxes'):
        assert torch.equal(mirrored[key], cropped[key])


@pytest.mark.parametrize(
    'layout, location',
    [('sign_49', 'image'), ('sign_49', 'shoulders'), ('hands_42', 'image'), ('coco_wholebody_133', 'image')],
)
def test_a_flip_before_the_crop_is_an_exchange_of_slots(layout, location):
    """After mirroring, the flip swaps the two slots and leaves the coordinates in the hands as they are."""
    batch = random_clips(layout, count=8)
    if location == 'shoulders':  # one clip shows none
        batch['scores'][3][:, list(SIGN.indices(['left_shoulder', 'right_shoulder']))] = 0
    steps = [HandCrop(layout, location=location), MirrorLeftHand(), ZeroMissing()]
    plain, flipped = run(Compose(steps), batch), run(Compose([RandomFlip(layout, prob=1.0), *steps]), batch)
    for key in ('hand_valid', 'hand_scores'):
        assert torch.equal(flipped[key], plain[key].flip(2))
    for key in ('hands', 'location'):
        torch.testing.assert_close(flipped[key], plain[key].flip(2), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        flipped['boxes'][..., 1:], plain['boxes'][..., 1:].flip(2), rtol=1e-4, atol=1e-3
    )
    x = torch.where(plain['hand_valid'], SIZE[0] - plain['boxes'][..., 0], plain['boxes'][..., 0])
    torch.testing.assert_close(flipped['boxes'][..., 0], x.flip(2), rtol=1e-4, atol=1e-3)


def test_missing_joints_become_zero_last():
    batch = random_clips('sign_49')
    mirrored = run(Compose([HandCrop(), MirrorLeftHand()]), batch)
    missing = (mirrored['hand_scores'] == 0)[..., None]
    # mirroring alone puts them at x = 1
    assert mirrored['hands'][missing.expand_as(mirrored['hands'])].abs().max() > 0.5
    mirrored['target'] = mirrored['hands'] + 1
    zeroed = run(ZeroMissing(), mirrored)
    for key in ('hands', 'target'):
        assert not zeroed[key][missing.expand_as(zeroed[key])].any()
        assert torch.equal(
            zeroed[key][~missing.expand_as(zeroed[key])], mirrored[key][~missing.expand_as(zeroed[key])]
        )
    del mirrored['target']
    assert 'target' not in run(ZeroMissing(), mirrored)


def test_location_from_shoulders_by_hand():
    """One clip of three frames: shoulders lost in the last, which takes the mean of the others; a second clip
    shows none.
    """
    layout = get_layout('sign_49')
    left, right = layout.indices(['left_shoulder', 'right_shoulder'])
    keypoints, scores = torch.zeros(2, 3, 49, 2), torch.zeros(2, 3, 49)
    keypoints[:, :, :21] = torch.rand(21, 2) * 50 + 100
    scores[:, :, :21] = 1
    for frame, shift in ((0, 0.0), (1, 10.0)):
        keypoints[0, frame, left], keypoints[0, frame, right] = (
            torch.tensor([360.0 + shift, 200.0]),
            torch.tensor([260.0 + shift, 200.0]),
        )
        scores[0, frame, [left, right]] = 0.9
    index = torch.arange(2)
    batch = dict(
        keypoints=keypoints,
        scores=scores,
        length=torch.tensor([3, 3]),
        image_size=torch.tensor([[640.0, 480.0]] * 2),
        index=index,
    )
    out = HandCrop('sign_49', location='shoulders')(batch, Draws(0, 0, index))
    centre, side = out['boxes'][0, :, 0, :2], out['boxes'][0, :, 0, 2]
    expected = torch.cat([(centre - torch.tensor([315.0, 200.0])) / 400 + 0.5, side[:, None] / 400], dim=-1)
    assert torch.allclose(out['location'][0, :, 0], expected, atol=1e-6)
    assert not out['location'][0, :, 1].any() and not out['location'][1].any()
    with pytest.raises(ValueError, match='shoulders'):
        HandCrop('hands_42', location='shoulders')
