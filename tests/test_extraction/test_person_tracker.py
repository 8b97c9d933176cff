import numpy as np
import pytest

from signbert_mm.extraction import PersonTracker


def box(x, y=0.0, width=100.0, height=200.0, score=0.9):
    return [x, y, x + width, y + height, score]


def follow(frames, **settings):
    tracker = PersonTracker(**settings)
    return [tracker.update(np.asarray(frame).reshape(-1, 5)) for frame in frames]


def test_the_largest_is_taken_first():
    assert follow([[box(0), box(300, width=120), box(600, width=80)]])[0].tolist() == [300, 0, 420, 200]


def test_two_people_in_view_do_not_alternate():
    """Either is the larger and the first in the list every other frame; both move."""
    rng = np.random.RandomState(0)
    frames = []
    for index in range(60):
        left, right = (
            box(50 + index, width=100 + 30 * (index % 2)),
            box(350 - index, width=115 - 30 * (index % 2)),
        )
        frames.append([left, right] if rng.rand() < 0.5 else [right, left])
    chosen = np.stack(follow(frames))
    assert chosen[0, 0] == 350 and (np.abs(np.diff(chosen[:, 0])) <= 1).all()  # always the right one


def test_people_who_cross_are_told_apart_by_their_boxes():
    frames = [[box(20.0 * index, height=200), box(400 - 20.0 * index, height=150)] for index in range(21)]
    chosen = np.stack(follow(frames))
    assert (chosen[:, 3] == 200).all()


def test_one_missed_detection_does_not_hand_over_to_a_neighbour():
    frames = [[box(0), box(150, width=90)]] * 3 + [[box(150, width=90)]] * 5 + [[box(5), box(150, width=90)]]
    chosen = follow(frames, patience=5)
    assert [found[0] for found in chosen] == [0] * 8 + [5]


def test_after_the_patience_the_largest_is_followed_anew():
    frames = (
        [[box(0)]] + [[box(800), box(1000, width=110)]] * 4 + [[box(1010, width=110), box(800, width=300)]]
    )
    assert [found[0] for found in follow(frames, patience=3)] == [0, 0, 0, 0, 1000, 1010]


def test_a_leap_is_followed_while_it_is_short():
    frames = [[box(0)], [box(95, score=0.8)], [box(1000)]]
    assert [found[0] for found in follow(frames)] == [0, 95, 95]


def test_nobody_and_what_is_no_box():
    tracker = PersonTracker(patience=0)
    assert tracker.update(np.zeros((0, 4))) is None and tracker.update([]) is None
    assert tracker.update([box(0, score=0.1), [5, 5, 5, 9, 0.9], [np.nan, 0, 1, 1, 0.9]]) is None
    assert tracker.update([[0, 0, 10, 10]]).tolist() == [0, 0, 10, 10]  # without scores
    tracker.reset()
    assert tracker.update([]) is None


@pytest.mark.parametrize('count', [1, 3])
def test_an_empty_frame_keeps_the_box_for_the_patience(count):
    found = follow([[box(7)]] + [[]] * (count + 1), patience=count)
    assert [one is not None for one in found] == [True] * (count + 1) + [False]
