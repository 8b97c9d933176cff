"""Clips as if filmed otherwise, checked on movements whose changed form is known."""

import numpy as np
import pytest
from pose_store_fixtures import write_store

from signbert_mm.datasets import PoseDataset, PoseStoreWriter
from signbert_mm.datasets.filming import (
    CHANGES,
    Filmed,
    at_rate,
    at_speed,
    jittered,
    mirrored,
    rested,
    turned,
    without_hands,
    write_changed,
)
from signbert_mm.datasets.hand_rule import hands_found
from signbert_mm.layouts import get_layout

LAYOUT = get_layout('hands_42')
SIZE = np.array([640, 480], dtype=np.float32)


def clip(frames=11, fps=25.0):
    """Both hands move to the right by 10 px a frame; the left one is missing in the first three frames."""
    shape = np.random.RandomState(0).uniform(0, 60, (42, 2)).astype(np.float32)
    shape += np.where(np.arange(42) < 21, 100, 250)[:, None]
    keypoints = shape + np.array([10, 0], np.float32) * np.arange(frames, dtype=np.float32)[:, None, None]
    scores = np.ones((frames, 42), dtype=np.float32)
    scores[:3, :21] = 0
    return Filmed(keypoints, scores, SIZE, fps, LAYOUT)


def rng():
    return np.random.RandomState(3)


def test_speed_and_rate_interpolate_the_movement():
    for made, step in ((at_speed(clip(), 0.5), 5.0), (at_speed(clip(), 2.0), 20.0)):
        there = (made.scores > 0).all(1)
        there[-1] = False  # the last frame is held
        moved = np.diff(made.keypoints[there][:, 30], axis=0)
        np.testing.assert_allclose(moved, np.tile([step, 0], (len(moved), 1)), atol=1e-3)
    slow, fast = at_speed(clip(), 0.5), at_speed(clip(), 2.0)
    assert (len(slow.scores), len(fast.scores), slow.fps) == (22, 6, 25.0)
    assert [len(at_rate(clip(), fps).scores) for fps in (15.0, 60.0)] == [7, 26]
    assert at_rate(clip(), 15.0).fps == 15.0
    # the left hand is there from half of the way between frames 2 and 3 on
    assert (slow.scores[:, 0] > 0).tolist() == [False] * 5 + [True] * 17


def test_a_mirrored_clip_exchanges_the_hands():
    made, before = mirrored(clip()), clip()
    np.testing.assert_allclose(made.keypoints[:, :21, 0], 640 - before.keypoints[:, 21:, 0])
    np.testing.assert_array_equal(made.scores[:, 21:], before.scores[:, :21])
    again = mirrored(made)
    np.testing.assert_allclose(again.keypoints, before.keypoints, atol=1e-3)


def test_turning_keeps_distances_and_turns_about_the_centre():
    before, made = clip(), turned(clip(), 15.0)
    arm, turned_arm = before.keypoints - SIZE / 2, made.keypoints - SIZE / 2
    np.testing.assert_allclose(np.linalg.norm(arm, axis=-1), np.linalg.norm(turned_arm, axis=-1), rtol=1e-5)
    angle = np.arctan2(turned_arm[..., 1], turned_arm[..., 0]) - np.arctan2(arm[..., 1], arm[..., 0])
    np.testing.assert_allclose(np.rad2deg(angle) % 360, 15.0, atol=1e-3)


def test_a_rest_lies_low_and_leaves_the_sign_as_it_is():
    made, before = rested(clip(), rng()), clip()
    # 25 frames of rest and 10 of the way on either side
    assert len(made.scores) == 11 + 2 * 35
    np.testing.assert_array_equal(made.keypoints[35:46], before.keypoints)
    np.testing.assert_array_equal(made.scores[35:46], before.scores)
    lowest = made.keypoints[:25, 21:, 1].max(1)
    np.testing.assert_allclose(lowest, 0.98 * 480, atol=0.003 * 640)
    # a hand that the sign's first frame lacks does not rest in sight before it, but after it
    assert not made.scores[:35, :21].any() and made.scores[-25:, :21].all()
    nobody = clip()._replace(scores=np.zeros((11, 42), np.float32))
    assert rested(nobody, rng()) is nobody


def test_half_of_the_frames_lose_their_hands():
    made = without_hands(clip(), rng())
    lost = ~hands_found(made.scores, LAYOUT).any(1)
    assert lost.sum() == 5 and (made.scores[~lost] == clip().scores[~lost]).all()


def test_jitter_has_the_stated_deviation():
    shift = jittered(clip(400), rng()).keypoints - clip(400).keypoints
    # 33,600 draws: the deviation's standard error is 0.4 %
    assert abs(shift.std() - 3.0) < 0.05 and abs(shift.mean()) < 0.05


def test_what_leaves_the_image_is_missing():
    before = clip()
    near = before._replace(scores=np.ones_like(before.scores)).about_centre(2.0 * np.eye(2))
    middle = 2 * (before.keypoints[:, :21].mean(1) - SIZE / 2) + SIZE / 2
    gone = near.scores[:, :21].sum(1) == 0
    assert (gone == ((middle < 0) | (middle > SIZE)).any(-1)).all() and 0 < gone.sum() < 11
    # a hand that is partly outside stays whole, as detectors give it
    assert ((near.keypoints[..., 0] < 0) & (near.scores > 0)).any()
    body = get_layout('sign_49')
    whole = Filmed(np.full((1, 49, 2), 10, np.float32), np.ones((1, 49), np.float32), SIZE, 25.0, body)
    assert not whole.about_centre(2.0 * np.eye(2)).scores.any() and whole.scores.all()


def test_each_change_makes_a_store_of_the_same_clips(tmp_path):
    write_store(tmp_path / 'clips', (12, 30, 9))
    dataset = PoseDataset(tmp_path / 'clips', indices=[2, 0])
    for number, change in enumerate(CHANGES):
        store = write_changed(dataset, change, tmp_path / f'changed{number}')
        assert store.label.tolist() == dataset.labels.tolist() and store.glosses == dataset.glosses
        store.verify()
    same = write_changed(dataset, 'as filmed', tmp_path / 'same')
    for place, index in enumerate([2, 0]):
        for made, before in zip(same.clip(place), dataset.store.clip(index)):
            np.testing.assert_array_equal(made, before)
    with pytest.raises(KeyError, match="unknown change 'upside down'; choose from as filmed, rest of 1 s"):
        write_changed(dataset, 'upside down', tmp_path / 'none')


def test_a_store_of_one_hand_changes_sides_when_mirrored(tmp_path):
    keypoints = np.random.RandomState(0).uniform(100, 200, (8, 21, 2)).astype(np.float32)
    pose = np.concatenate([keypoints, np.ones((8, 21, 1), np.float32)], -1)
    with PoseStoreWriter(tmp_path / 'clips', get_layout('hand_21'), ['A'], extractor='made up') as writer:
        writer.add(pose, 0, 'test', 'a', width=640, height=480)
        writer.close()
    dataset = PoseDataset(tmp_path / 'clips', layout='hands_42', side='right')
    store = write_changed(dataset, 'mirrored (left-handed signer)', tmp_path / 'mirrored')
    changed = PoseDataset(tmp_path / 'mirrored', layout='hands_42', side='right').__getitems__([0])['inputs']
    assert store.layout.name == 'hands_42' and not changed['scores'][..., 21:].any()
    np.testing.assert_allclose(changed['keypoints'][0, :, :21, 0], 640 - keypoints[..., 0], atol=1e-4)
    np.testing.assert_array_equal(changed['keypoints'][0, :, :21, 1], keypoints[..., 1])
