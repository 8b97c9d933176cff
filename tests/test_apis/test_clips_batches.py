"""Batches of clips against PoseDataset, and what an exported model takes of temporal transforms."""

import pytest
import torch

from signbert_mm.apis.clips import InputSpec, make_batch
from signbert_mm.apis.input import InputReader
from signbert_mm.apis.onnx_backend import check_steady
from signbert_mm.datasets import PoseDataset
from signbert_mm.registry import TRANSFORMS

LENGTHS = torch.tensor([1, 2, 5, 6, 7, 31, 100])
TEMPORAL = [
    dict(type='CenterTemporalSample', clip_len=6),
    dict(type='CenterTemporalSample'),
    dict(type='UniformTemporalSample', clip_len=6, test_mode=True),
    dict(type='UniformTemporalSample', clip_len=6, test_mode=True, repeat=False),
]


@pytest.mark.parametrize('temporal', TEMPORAL)
def test_what_draws_nothing_is_taken(temporal):
    check_steady(temporal)
    TRANSFORMS.build(temporal)(dict(length=LENGTHS), None)  # no draws


@pytest.mark.parametrize(
    'temporal',
    [dict(type='RandomTemporalSample', clip_len=6), dict(type='UniformTemporalSample', clip_len=6)],
)
def test_what_draws_is_refused(temporal):
    with pytest.raises(ValueError, match='it draws'):
        check_steady(temporal)
    with pytest.raises(AttributeError):
        TRANSFORMS.build(temporal)(dict(length=LENGTHS), None)


@pytest.mark.parametrize('temporal', [None, *TEMPORAL[:1], *TEMPORAL[2:]])
@pytest.mark.parametrize('drop', [True, False])
@pytest.mark.parametrize('layout', ['sign_49', 'hands_42', 'coco_wholebody_133'])
def test_batches_are_those_of_the_data_set(house, store, temporal, drop, layout):
    dataset = PoseDataset(
        house['store'],
        layout=layout,
        drop_empty_frames=drop,
        pipeline=[temporal] if temporal else [],
        stand_ins=True,
    )
    expected = dataset.__getitems__(list(range(len(store))))['inputs']
    found = make_batch(list(InputReader().clips(store)), InputSpec(layout, drop, True, '', temporal))
    assert set(found) == set(expected)
    for name, value in found.items():
        assert torch.equal(torch.from_numpy(value), expected[name]), name
