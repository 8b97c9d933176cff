import pytest
import torch

from signbert_mm.datasets.transforms import (
    CenterTemporalSample,
    Compose,
    RandomTemporalSample,
    RandomWindowSample,
    UniformTemporalSample,
)
from signbert_mm.draws import Draws
from signbert_mm.registry import TRANSFORMS

SAMPLES = ['RandomTemporalSample', 'RandomWindowSample', 'CenterTemporalSample', 'UniformTemporalSample']


def run(transform, lengths, epoch=0):
    length = torch.tensor(lengths)
    return transform(dict(length=length), Draws(0, epoch, torch.arange(len(lengths))))


def test_center():
    out = run(CenterTemporalSample(4), [4, 10, 7, 2, 1])
    assert out['frames'].tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [1, 2, 3, 4], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert out['length'].tolist() == [4, 4, 4, 2, 1]
    assert out['frames'].dtype == out['length'].dtype == torch.int64


def test_random_is_a_window_and_every_start_is_as_likely():
    count = 6000
    out = run(RandomTemporalSample(4), [10] * count + [3])
    frames = out['frames'][:count]
    assert (frames.diff(dim=1) == 1).all()
    starts = torch.bincount(frames[:, 0], minlength=7)
    assert len(starts) == 7  # 0 .. 6
    assert (starts - count / 7).abs().max() < 5 * (count / 7) ** 0.5
    assert out['frames'][count].tolist() == [0, 1, 2, 0] and out['length'].tolist() == [4] * count + [3]


def test_random_depends_on_epoch_and_clip_only():
    transform, lengths = RandomTemporalSample(4), [100] * 50
    assert torch.equal(run(transform, lengths)['frames'], run(transform, lengths)['frames'])
    assert not torch.equal(run(transform, lengths, 0)['frames'], run(transform, lengths, 1)['frames'])
    one = transform(dict(length=torch.tensor([100])), Draws(0, 0, torch.tensor([7])))['frames'][0]
    assert torch.equal(one, run(transform, lengths)['frames'][7])


def test_uniform():
    out = run(UniformTemporalSample(4, test_mode=True), [4, 8, 10, 2, 1])
    # the middles of the segments: (j + 1/2) n / 4, rounded down
    assert out['frames'].tolist() == [[0, 1, 2, 3], [1, 3, 5, 7], [1, 3, 6, 8], [0, 0, 1, 1], [0, 0, 0, 0]]
    assert out['length'].tolist() == [4] * 5
    frames = run(UniformTemporalSample(4), [10] * 2000)['frames']
    # floor(10 j / 4) .. floor(10 (j + 1) / 4) - 1
    for segment, (low, high) in enumerate([(0, 1), (2, 4), (5, 6), (7, 9)]):
        assert frames[:, segment].unique().tolist() == list(range(low, high + 1))


def test_uniform_without_repeats():
    out = run(UniformTemporalSample(4, repeat=False), [3, 4, 8])
    assert out['frames'][0].tolist() == [0, 1, 2, 0] and out['frames'][1].tolist() == [0, 1, 2, 3]
    assert out['length'].tolist() == [3, 4, 4]


def test_window_without_options_is_one_frame_of_each_part():
    frames = run(RandomWindowSample(4, crop=0.0), [10] * 4000)['frames']
    # [10 j / 4, 10 (j + 1) / 4), rounded down
    for part, (low, high) in enumerate([(0, 2), (2, 4), (5, 7), (7, 9)]):
        assert frames[:, part].unique().tolist() == list(range(low, high + 1))


def test_window_is_cropped_at_both_ends():
    frames = run(RandomWindowSample(50, crop=0.4), [1000] * 3000)['frames']
    first, last = frames[:, 0].float(), frames[:, -1].float()
    # a frame lies up to one part (20 frames) from its window's end
    assert first.max() > 350 and last.min() < 650 and (last - first).min() > 1000 * 0.6 - 2 * 20
    # the mean of u v over two uniform draws is 1/4; its spread is 0.22, so five standard errors are 8 frames
    assert abs(first.mean() - 100 - 9) < 8 + 3 and abs(last.mean() - 900 + 9) < 8 + 3


def test_window_rests_at_both_ends():
    out = run(RandomWindowSample(50, crop=0.0, rest=0.5, rest_prob=1.0), [100] * 3000 + [1])
    frames, held = out['frames'][:-1], (out['frames'][:-1] == 0).sum(1)
    assert (frames.diff(dim=1) >= 0).all() and frames.min() == 0 and frames.max() == 99
    # at most 0.5 of 1.5 clips, the other end without a rest
    assert 14 <= held.max() <= 18 and (frames == 99).sum(1).max() >= 14
    assert (out['frames'][-1] == 0).all() and (out['length'] == 50).all()
    share = run(RandomWindowSample(50, crop=0.0, rest=1.0, rest_prob=0.3), [1000] * 4000)['frames'][:, 1] == 0
    # a window that does not rest has no frame 0 but in its first part
    assert abs(share.float().mean() - 0.3) < 5 * (0.3 * 0.7 / 4000) ** 0.5 + 0.03


def test_warp_changes_the_speed_and_keeps_the_order():
    frames = run(RandomWindowSample(100, crop=0.0, warp=0.9), [10000] * 500)['frames'].float()
    assert (frames.diff(dim=1) >= 0).all()
    half = frames[:, 50] / 10000
    # place + w place (1 - place) at 1/2: 1/2 + w / 4
    assert half.max() > 0.70 and half.min() < 0.30 and abs(half.mean() - 0.505) < 5 * 0.13 / 500**0.5


@pytest.mark.parametrize('wrong', [dict(crop=1.0), dict(warp=-0.1), dict(rest=-1.0), dict(rest_prob=2.0)])
def test_window_options_out_of_range(wrong):
    with pytest.raises(ValueError, match=r'crop and warp lie in \[0, 1\)'):
        RandomWindowSample(4, **wrong)


@pytest.mark.parametrize('name', SAMPLES)
def test_registered_and_bad_length(name):
    transform = TRANSFORMS.build(dict(type=name, clip_len=1))
    out = run(transform, [1, 50])
    assert out['frames'].shape == (2, 1) and out['frames'][0, 0] == 0 and 0 <= out['frames'][1, 0] < 50
    assert 'clip_len=1' in repr(transform)
    for wrong in (0, 4.5):
        with pytest.raises(ValueError, match=f'{name}: clip_len .* a whole number, got {wrong}'):
            TRANSFORMS.build(dict(type=name, clip_len=wrong))


def test_batch_given_is_left_as_it_was():
    batch = dict(length=torch.tensor([9, 2]))
    CenterTemporalSample(4)(batch, Draws(0, 0, torch.arange(2)))
    assert list(batch) == ['length'] and batch['length'].tolist() == [9, 2]


def test_compose():
    compose = TRANSFORMS.build(
        dict(
            type='Compose',
            transforms=[
                dict(type='CenterTemporalSample', clip_len=4),
                lambda batch, draws: {**batch, 'x': 1},
            ],
        )
    )
    assert run(compose, [9])['x'] == 1
    assert isinstance(compose, Compose) and 'CenterTemporalSample(clip_len=4)' in repr(compose)
    with pytest.raises(TypeError, match='transform 0 is 3'):
        Compose([3])
    with pytest.raises(KeyError, match='CentreTemporalSample'):
        Compose([dict(type='CentreTemporalSample')])
