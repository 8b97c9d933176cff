"""The rules of temporal sampling in numpy, by hand and against the transforms in torch."""

import numpy as np
import pytest
import torch

from signbert_mm.datasets.frame_choice import choose_frames, is_steady
from signbert_mm.datasets.transforms.temporal import sample_clips

UNIFORM = dict(type='UniformTemporalSample', clip_len=4, test_mode=True)


def chosen(temporal, *length):
    frames, real = choose_frames(temporal, np.array(length))
    assert frames.dtype == real.dtype == np.int64
    return frames.tolist(), real.tolist()


def test_by_hand():
    assert chosen(None, 2, 3) == ([[0, 1, 0], [0, 1, 2]], [2, 3])
    # The middles of four segments of 10 frames are 1.25, 3.75, 6.25 and 8.75.
    assert chosen(UNIFORM, 10) == ([[1, 3, 6, 8]], [4])
    assert chosen(UNIFORM, 2) == ([[0, 0, 1, 1]], [4])
    assert chosen(dict(UNIFORM, repeat=False), 2, 10) == ([[0, 1, 0, 0], [1, 3, 6, 8]], [2, 4])
    centre = dict(type='signbert_mm.CenterTemporalSample', clip_len=4)
    assert chosen(centre, 9, 3) == ([[2, 3, 4, 5], [0, 1, 2, 0]], [4, 3])


@pytest.mark.parametrize('clip_len', [1, 6, 32])
def test_as_the_transforms(clip_len):
    length = np.arange(1, 100)
    for temporal in (
        dict(type='CenterTemporalSample'),
        dict(type='UniformTemporalSample', test_mode=True),
        dict(type='UniformTemporalSample', test_mode=True, repeat=False),
    ):
        temporal['clip_len'] = clip_len
        for found, expected in zip(choose_frames(temporal, length), sample_clips(temporal, length)):
            assert np.array_equal(found, expected)
            assert torch.from_numpy(found).dtype == torch.int64


def test_what_draws_or_is_unknown_is_not_steady():
    assert all(map(is_steady, (None, UNIFORM, dict(type='CenterTemporalSample'))))
    for kind in ('RandomTemporalSample', 'UniformTemporalSample', 'Mine'):
        assert not is_steady(dict(type=kind))
