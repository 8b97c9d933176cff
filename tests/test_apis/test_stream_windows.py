"""Windows and hysteresis, worked by hand."""

import numpy as np
import pytest

from signbert_mm.apis import HysteresisMerger, Segment, sliding_windows


def test_windows():
    assert sliding_windows(10, 4, 2) == [(0, 4), (2, 6), (4, 8), (6, 10)]
    assert sliding_windows(11, 4, 2) == [(0, 4), (2, 6), (4, 8), (6, 10), (7, 11)]
    assert sliding_windows(3, 4, 2) == [(0, 3)]
    assert sliding_windows(4, 4, 4) == [(0, 4)]
    for window, stride in ((0, 1), (4, 0), (4, 5)):
        with pytest.raises(ValueError, match='at least 1'):
            sliding_windows(10, window, stride)
    with pytest.raises(ValueError, match='at least one'):
        sliding_windows(0, 4, 2)


def segments(rows, **options):
    """Windows of one unit each."""
    merger = HysteresisMerger(**options)
    found = []
    for place, row in enumerate(rows):
        found += merger.push(place, place + 1, np.array(row))
    return found + merger.close()


def rounded(found):
    return [(s.start, s.end, s.label, round(s.score, 6)) for s in found]


def test_opens_at_enter_reaches_back_to_leave_and_holds_until_below():
    rows = [[0.1, 0], [0.4, 0], [0.7, 0], [0.35, 0], [0.65, 0], [0.2, 0], [0.5, 0]]
    assert rounded(segments(rows, enter=0.6, leave=0.3)) == [(1, 5, 0, 0.7)]
    # one threshold alone makes two of it
    assert rounded(segments(rows, enter=0.6, leave=0.6)) == [(2, 3, 0, 0.7), (4, 5, 0, 0.65)]


def test_never_reaching_enter_is_no_segment():
    assert segments([[0.5, 0.4]] * 5, enter=0.6, leave=0.3) == []


def test_another_gloss_ends_it_and_segments_do_not_overlap():
    # gloss 1 is above `leave` from window 1 on, but its segment begins where that of gloss 0 ends
    rows = [[0.8, 0.1], [0.65, 0.35], [0.4, 0.4], [0.35, 0.65], [0, 0.9]]
    assert rounded(segments(rows, enter=0.6, leave=0.3)) == [(0, 3, 0, 0.8), (3, 5, 1, 0.9)]


def test_the_same_sign_twice():
    assert rounded(segments([[0.9], [0.0], [0.9]], enter=0.6, leave=0.3)) == [(0, 1, 0, 0.9), (2, 3, 0, 0.9)]


def test_rest_ends_a_segment_and_opens_none():
    rows = [[0, 0.9], [0.65, 0.35], [0.65, 0.35], [0, 0.7]]
    assert rounded(segments(rows, enter=0.6, leave=0.3, ignore=[0])) == [(0, 1, 1, 0.9), (1, 4, 1, 0.7)]
    rows[1:3] = [[0.9, 0.1]] * 2
    assert rounded(segments(rows, enter=0.6, leave=0.3, ignore=[0])) == [(0, 1, 1, 0.9), (3, 4, 1, 0.7)]


def test_memory_is_a_number_a_class():
    merger = HysteresisMerger()
    for place in range(1000):
        merger.push(place, place + 1, np.array([0.7, 0.1]))
    assert merger._since.shape == (2,) and merger.current == Segment(0, 1000, 0, 0.7)


@pytest.mark.parametrize('enter, leave', [(0.3, 0.6), (0.5, 0), (1.5, 0.5)])
def test_thresholds(enter, leave):
    with pytest.raises(ValueError, match='leave <= enter'):
        HysteresisMerger(enter, leave)
