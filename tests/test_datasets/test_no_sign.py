import pytest
import torch
from pose_store_fixtures import write_store

from signbert_mm.datasets import NoSignDataset, PoseDataset
from signbert_mm.registry import DATASETS

SAMPLED = [dict(type='UniformTemporalSample', clip_len=8, test_mode=True)]


@pytest.fixture
def clips(tmp_path):
    write_store(tmp_path / 'clips', (12, 30, 9, 16, 20))
    return PoseDataset(tmp_path / 'clips', pipeline=SAMPLED)


def test_rest_is_one_frame(clips):
    made = NoSignDataset(clips, ['rest'], tremble=0.0, drift=0.0)
    inputs = made.__getitems__(range(5))['inputs']
    source = clips.__getitems__(range(5))['inputs']
    assert inputs['label'].tolist() == [-1] * 5 and (inputs['length'] == 8).all() and len(made) == 5
    for row in range(5):
        same = [
            torch.equal(inputs['keypoints'][row, 0], pose * (score > 0)[:, None])
            for pose, score in zip(source['keypoints'][row], source['scores'][row])
        ]
        assert any(same)
        assert (inputs['keypoints'][row] == inputs['keypoints'][row, :1]).all()


def test_transition_goes_from_the_last_frame_of_one_clip_to_the_first_of_another(clips):
    made = NoSignDataset(clips, ['transition'], tremble=0.0, drift=0.0)
    inputs, source = (data.__getitems__(range(5))['inputs'] for data in (made, clips))
    time = (torch.arange(8) + 0.5) / 8
    way = (3 * time**2 - 2 * time**3)[:, None, None]
    for row in range(5):
        begin, start = source['keypoints'][row, -1], source['scores'][row, -1]
        fits = []
        for other in set(range(5)) - {row}:
            end, score = source['keypoints'][other, 0], source['scores'][other, 0]
            both = (start > 0) & (score > 0)
            line = begin * (1 - way) + end * way
            fits.append(torch.allclose(inputs['keypoints'][row][:, both], line[:, both], atol=1e-3))
            if fits[-1]:
                # what one of the frames lacks is there in the other's half of the time
                alone = (start > 0) & (score <= 0)
                assert (inputs['scores'][row, :4, alone] > 0).all()
                assert (inputs['scores'][row, 4:, alone] == 0).all()
                assert (inputs['keypoints'][row, 4:, alone] == 0).all()
        assert sum(fits) == 1


def test_it_trembles_and_drifts_within_bounds(clips):
    still, moving = (
        NoSignDataset(clips, ['rest'], tremble=tremble, drift=drift).__getitems__(range(5))['inputs']
        for tremble, drift in ((0.0, 0.0), (0.01, 0.02))
    )
    shift = (moving['keypoints'] - still['keypoints']).abs() / moving['image_size'][:, :1, None, None]
    assert 0.01 < float(shift.max()) < 0.03
    assert (moving['keypoints'][moving['scores'] == 0] == 0).all()


def test_draws_depend_on_the_clip_alone(clips):
    made = NoSignDataset(clips)
    whole = made.__getitems__(range(5))['inputs']
    part = made.__getitems__([3, 1])['inputs']
    for name in ('keypoints', 'scores', 'image_size'):
        assert torch.equal(part[name], whole[name][[3, 1]])
    assert torch.equal(made[2]['inputs']['keypoints'], whole['keypoints'][2])
    made.set_epoch(1)
    assert not torch.equal(made.__getitems__(range(5))['inputs']['keypoints'], whole['keypoints'])


def test_refusals(clips, tmp_path):
    with pytest.raises(ValueError, match='kinds is .*sleep.*; give a list of rest, transition'):
        NoSignDataset(clips, ['sleep'])
    with pytest.raises(ValueError, match='must not be negative'):
        NoSignDataset(clips, tremble=-1)
    every = dict(type='PoseDataset', store=str(tmp_path / 'clips'))
    with pytest.raises(ValueError, match='clips: clips of all lengths; give its pipeline a temporal'):
        DATASETS.build(dict(type='NoSignDataset', dataset=every))
