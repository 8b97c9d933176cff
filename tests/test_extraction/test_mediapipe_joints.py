import types

import numpy as np
import pytest

from signbert_mm.extraction.mediapipe_joints import body_points, hand_points, hands_at_wrists, reach

LEFT_WRIST, RIGHT_WRIST = 15, 16


def body(left=(400, 300), right=(100, 300), visible=(1, 1)):
    points = np.zeros((33, 3), np.float32)
    points[LEFT_WRIST], points[RIGHT_WRIST] = (*left, visible[0]), (*right, visible[1])
    return points


def hand(x, y, size=60):
    """Its root is at (x, y), and the longer side of its box is ``size``."""
    return np.stack([np.full(21, x), y - np.linspace(0, size, 21)], axis=-1).astype(np.float32)


def test_points_of_a_list_and_of_a_message():
    rows = [types.SimpleNamespace(x=index, y=2, visibility=0.5) for index in range(33)]
    np.testing.assert_array_equal(body_points(rows), body_points(types.SimpleNamespace(landmark=rows)))
    assert body_points(rows)[7].tolist() == [7, 2, 0.5]
    assert body_points(None) is None and hand_points(None) is None
    assert hand_points(types.SimpleNamespace(landmark=rows[:21]))[20].tolist() == [20, 2]


def test_hands_are_those_at_their_wrists():
    left, right = hand(410, 310), hand(95, 290)
    for hands in ([left, right], [right, left]):
        found = hands_at_wrists(body(), hands)
        assert found[0] is left and found[1] is right
    assert hands_at_wrists(body(), []) == (None, None)
    assert hands_at_wrists(None, [left]) == (None, None)
    found = hands_at_wrists(body(), [right])
    assert found[0] is None and found[1] is right


def test_of_two_hands_at_one_wrist_the_nearer_is_taken():
    near, farther = hand(402, 300), hand(430, 300)
    for hands in ([near, farther], [farther, near]):
        found = hands_at_wrists(body(), hands)
        assert found[0] is near and found[1] is None


def test_hands_of_others_and_at_hidden_wrists_are_left_out():
    assert hands_at_wrists(body(), [hand(250, 300)]) == (None, None)
    # One size away is the limit, whatever the size of the image.
    assert hands_at_wrists(body(), [hand(460, 300, size=61)])[0] is not None
    assert hands_at_wrists(body(), [hand(460, 300, size=59)]) == (None, None)
    assert hands_at_wrists(body(visible=(0.05, 1)), [hand(400, 300)]) == (None, None)


def test_hands_that_meet_keep_their_sides():
    left, right = hand(262, 300), hand(238, 300)
    found = hands_at_wrists(body(left=(255, 300), right=(245, 300)), [right, left])
    assert found[0] is left and found[1] is right


def person(x=500, y=200, trunk=100):
    """Shares of an image of 1000 x 1000: the middle of the shoulders at (x, y); wrists at the hips."""
    points = np.zeros((33, 3), np.float32)
    for pair, width, height in (((11, 12), 60, 0), ((23, 24), 40, trunk), ((15, 16), 70, trunk)):
        for index, sign in zip(pair, (1, -1)):
            points[index] = (x + sign * width / 2) / 1000, (y + height) / 1000, 1
    return points


SIZE = (1000, 1000)


def test_hands_are_searched_for_about_the_shoulders():
    np.testing.assert_allclose(reach(person(), SIZE), (370, 100, 630, 360), atol=1)
    # Cut off at the image's edges, and never empty.
    np.testing.assert_allclose(reach(person(x=0, y=0), SIZE), (0, 0, 130, 160), atol=1)
    left, top, right, bottom = reach(person(x=5000, y=5000), SIZE)
    assert 0 <= left < right <= 1000 and 0 <= top < bottom <= 1000


def test_a_wrist_outside_widens_it():
    body = person()
    body[LEFT_WRIST, 1] = 0.05
    assert reach(body, SIZE)[1] == 0
    body[LEFT_WRIST, 2] = 0.05
    assert reach(body, SIZE)[1] == reach(person(), SIZE)[1]


@pytest.mark.parametrize(
    ('change', 'kept'),
    [(dict(x=520), True), (dict(x=600), False), (dict(trunk=110), True), (dict(trunk=180), False)],
)
def test_it_stays_while_the_signer_stays(change, kept):
    before = reach(person(), SIZE)
    assert (reach(person(**change), SIZE, before) == before) == kept


def test_it_is_made_smaller_where_the_signer_goes_away():
    assert reach(person(trunk=60), SIZE, (0, 0, 1000, 1000)) == reach(person(trunk=60), SIZE)
