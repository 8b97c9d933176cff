import pytest
import torch

from signbert_mm.datasets.transforms import (
    CenterTemporalSample,
    Compose,
    RandomTemporalSample,
    UniformTemporalSample,
)
from signbert_mm.draws import Draws
from signbert_mm.registry import TRANSFORMS


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


@pytest.mark.parametrize('name', ['RandomTemporalSample', 'CenterTemporalSample', 'UniformTemporalSample'])
def test_registered_and_bad_length(name):
    transform = TRANSFORMS.build(dict(type=name, clip_len=1))
    out = run(transform, [1, 50])
    assert out['frames'].shape == (2, 1) and out['frames'][0, 0] == 0 and 0 <= out['frames'][1, 0] < 50
    assert 'clip_len=1' in repr(transform)
    with pytest.raises(ValueError, match=f'{name}: clip_len must be at least 1, got 0'):
        TRANSFORMS.build(dict(type=name, clip_len=0))


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
