"""Temporal crop and resampling against loops over frames and joints, in float64."""

import math

import pytest
import torch

from signbert_mm.datasets.transforms import TemporalCropResize
from signbert_mm.draws import Draws


def clips(lengths, joints=4, missing=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    frames = max(lengths)
    real = torch.arange(frames) < torch.tensor(lengths)[:, None]
    scores = (0.1 + 0.9 * torch.rand(len(lengths), frames, joints, generator=generator)) * real[..., None]
    scores = scores * (torch.rand(scores.shape, generator=generator) >= missing)
    return dict(
        keypoints=torch.rand(*scores.shape, 2, generator=generator) * 400 * (scores > 0)[..., None],
        scores=scores,
        length=torch.tensor(lengths),
        frames=torch.arange(frames) * 3 * real,
        index=torch.arange(len(lengths)),
    )


def run(transform, batch, epoch=0):
    return transform(dict(batch), Draws(0, epoch, batch['index']))


def reference(batch, clip, start, size, clip_len):
    """One clip's keypoints and scores, frame by frame and joint by joint."""
    keypoints, scores = batch['keypoints'][clip].double(), batch['scores'][clip].double()
    out = (
        torch.zeros(clip_len, scores.shape[1], 2, dtype=torch.float64),
        torch.zeros(clip_len, scores.shape[1], dtype=torch.float64),
    )
    for time in range(clip_len):
        place = start + (time * (size - 1) / (clip_len - 1) if clip_len > 1 else size // 2)
        low = math.floor(place)
        high, weight = min(low + 1, start + size - 1), place - low
        near = high if weight >= 0.5 else low
        for joint in range(scores.shape[1]):
            if scores[low, joint] > 0 and scores[high, joint] > 0:
                out[0][time, joint] = (1 - weight) * keypoints[low, joint] + weight * keypoints[high, joint]
                out[1][time, joint] = (1 - weight) * scores[low, joint] + weight * scores[high, joint]
            else:
                out[0][time, joint], out[1][time, joint] = keypoints[near, joint], scores[near, joint]
    return out


@pytest.mark.parametrize('clip_len', [1, 2, 7, 16, 40])
def test_centre_equals_loops(clip_len):
    batch = clips([20, 9, 3, 2, 1], missing=0.3)
    out = run(TemporalCropResize(clip_len, ratio=0.8, min_frames=2, centre=True), batch)
    # floor(0.8 n + 1/2), at least 2, at most n; start is half of what is left
    for clip, (start, size) in enumerate([(2, 16), (1, 7), (0, 2), (0, 2), (0, 1)]):
        keypoints, scores = reference(batch, clip, start, size, clip_len)
        torch.testing.assert_close(out['keypoints'][clip].double(), keypoints, rtol=1e-5, atol=1e-3)
        torch.testing.assert_close(out['scores'][clip].double(), scores, rtol=1e-5, atol=1e-6)
    assert out['length'].tolist() == [clip_len] * 5 and out['frames'].shape == (5, clip_len)


def test_random_windows_equal_loops_at_the_named_draws():
    batch = clips([150, 90, 40, 33, 20], missing=0.2)
    out = run(TemporalCropResize(64, ratio=(0.1, 1.0), min_frames=32), batch, epoch=3)
    draws = Draws(0, 3, batch['index'])
    share = draws.uniform('temporal/ratio', low=0.1, high=1.0)
    sizes = [min(max(math.floor(float(s) * n + 0.5), 32), n) for s, n in zip(share, batch['length'].tolist())]
    starts = draws.integers('temporal/start', batch['length'] - torch.tensor(sizes) + 1)
    for clip in range(5):
        keypoints, _ = reference(batch, clip, int(starts[clip]), sizes[clip], 64)
        torch.testing.assert_close(out['keypoints'][clip].double(), keypoints, rtol=1e-5, atol=1e-3)
    assert sizes[4] == 20 and all(size >= 32 for size in sizes[:4])


def test_windows_use_their_range():
    count = 3000
    batch = dict(clips([100]), length=torch.full((count,), 100), index=torch.arange(count))
    transform = TemporalCropResize(64, ratio=(0.1, 1.0), min_frames=32)
    start, size = transform._window(batch['length'], Draws(0, 0, batch['index']))
    assert size.min() == 32 and size.max() == 100 and start.min() == 0 and (start + size).max() == 100
    assert abs(float((size == 32).float().mean()) - 0.225 / 0.9) < 0.03  # shares up to 0.325 become 32 frames


def test_a_hand_that_comes_and_goes_is_never_half_there():
    batch = clips([5], joints=3)
    batch['scores'][0, 2:] = 0
    batch['keypoints'][0, 2:] = 0
    out = run(TemporalCropResize(17, ratio=1.0, min_frames=1, centre=True), batch)
    there = out['scores'][0] > 0
    # new frame j stands at j / 4: up to 1 between seen frames, then frame 1 as it is until half way, then
    # nothing
    assert there.all(1).tolist() == [True] * 6 + [False] * 11 and torch.equal(there.any(1), there.all(1))
    torch.testing.assert_close(out['keypoints'][0, 5], batch['keypoints'][0, 1])
    assert not out['keypoints'][0, 6:].any()


def test_as_many_frames_as_there_are_is_the_clip():
    batch = clips([12, 12], missing=0.3)
    out = run(TemporalCropResize(12, ratio=1.0, min_frames=1, centre=True), batch)
    for key in ('keypoints', 'scores', 'frames'):
        assert torch.equal(out[key], batch[key])


def test_the_same_in_any_batch_and_the_batch_given_stays():
    batch = clips([30, 50, 8])
    before = {key: value.clone() for key, value in batch.items()}
    transform = TemporalCropResize(16, ratio=(0.2, 0.9), min_frames=4)
    out = run(transform, batch)
    alone = run(transform, {key: value[1:2] for key, value in batch.items()})
    for key in ('keypoints', 'scores', 'frames'):
        torch.testing.assert_close(alone[key], out[key][1:2])
    assert all(torch.equal(batch[key], before[key]) for key in before)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(clip_len=0), 'clip_len must be at least 1, got 0'),
        (dict(clip_len=6.4), 'whole number'),
        (dict(min_frames=0), 'must be at least 1'),
        (dict(ratio=(0.0, 1.0)), 'ratio must be'),
        (dict(ratio=(0.9, 0.5)), 'ratio must be'),
        (dict(ratio=1.2), 'ratio must be'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=f'TemporalCropResize: .*{message}'):
        TemporalCropResize(**options)
