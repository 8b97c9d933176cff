"""Videos of uneven rate: times in a store, and what lies between two of them."""

import numpy as np
import pytest
from pose_store_fixtures import keypoints
from verification_stores import alter

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.datasets.frame_times import frames_between, mean_rate, uneven_times

# 25 frames 33 ms apart, then 25 frames 66 ms apart
TIMES = np.concatenate([np.arange(25) * 0.033, 25 * 0.033 + np.arange(25) * 0.066])


def test_uneven_times():
    assert (
        uneven_times(np.arange(50) / 25, 25) is None
        and uneven_times(TIMES, 0) is None
        and uneven_times(TIMES[:1], 25) is None
    )
    rounded = np.round(np.arange(100) / 30, 3)  # milliseconds of a container
    assert uneven_times(rounded, 30) is None
    found = uneven_times(TIMES + 7, mean_rate(TIMES))
    np.testing.assert_allclose(found, TIMES, atol=1e-6)
    assert mean_rate(TIMES) == pytest.approx(49 / TIMES[-1]) and mean_rate(TIMES[:1]) == 0


@pytest.mark.parametrize(
    'start, end, frames',
    [
        (0.0, 0.8, (0, 24)),
        (1.6, 2.4, (37, 49)),
        (None, None, (0, 50)),
        (0.825, None, (25, 50)),
        (2.3, 9.0, (47, 183)),  # beyond the end at the mean rate
        (0.4, 0.4, (12, 13)),  # one frame at least
    ],
)
def test_frames_between_two_times(start, end, frames):
    assert frames_between(TIMES, start, end) == frames


def test_of_an_even_rate_they_are_those_that_are_counted():
    for start, end in ((0, 1), (0.52, 1.34), (1.11, 1.59)):
        assert frames_between(np.arange(100) / 25, start, end) == (round(start * 25), round(end * 25))


def test_a_store_keeps_the_times_of_uneven_clips(tmp_path):
    about = dict(width=640, height=480, fps=mean_rate(TIMES))
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        writer.add(keypoints(50), 0, 'x', 'even', width=640, height=480, fps=25, times=np.arange(50) / 25)
        writer.add(keypoints(50), 0, 'x', 'uneven', times=TIMES + 3, **about)
        writer.add(keypoints(4), 0, 'x', 'untold', **about)
        writer.add(keypoints(50), 0, 'x', 'more', times=TIMES * 2, **about)
        for times in (TIMES[:4], TIMES[::-1], TIMES * np.nan):
            with pytest.raises(ValueError, match='give seconds of the 50 frames that never decrease'):
                writer.add(keypoints(50), 0, 'x', 'bad', times=times, **about)
        store = writer.close()
    assert store.frame_times(0) is None and store.frame_times(2) is None
    np.testing.assert_allclose(store.frame_times(1), TIMES, atol=1e-6)
    np.testing.assert_allclose(store.frame_times(-1), TIMES * 2, atol=1e-6)
    alter(store, columns=lambda table: table.update(frame_times=table['frame_times'][:-1]))
    with pytest.raises(ValueError, match='columns timed_clips and frame_times do not fit the clips'):
        PoseStore(tmp_path / 's')
    alter(store, columns=lambda table: (table.pop('frame_times'), table.pop('timed_clips')))
    assert PoseStore(tmp_path / 's').frame_times(1) is None  # as in stores of older versions
