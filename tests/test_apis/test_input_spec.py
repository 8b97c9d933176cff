"""The numpy sampling against the transforms, and batches against PoseDataset."""

import numpy as np
import pytest
import torch

from signbert_mm.apis.input_reader import InputReader
from signbert_mm.apis.input_spec import InputSpec, make_batch, numpy_sampler
from signbert_mm.datasets import PoseDataset
from signbert_mm.registry import TRANSFORMS

LENGTHS = np.array([1, 2, 5, 6, 7, 31, 100])
TEMPORAL = [
    dict(type='CenterTemporalSample', clip_len=6),
    dict(type='CenterTemporalSample'),
    dict(type='UniformTemporalSample', clip_len=6, test_mode=True),
    dict(type='UniformTemporalSample', clip_len=6, test_mode=True, repeat=False),
]


@pytest.mark.parametrize('temporal', TEMPORAL)
def test_numpy_samples_as_the_transform(temporal):
    frames, real = numpy_sampler(temporal)(LENGTHS)
    expected = TRANSFORMS.build(temporal)(dict(length=torch.from_numpy(LENGTHS)), None)
    assert np.array_equal(frames, expected['frames'].numpy()) and np.array_equal(
        real, expected['length'].numpy()
    )


@pytest.mark.parametrize(
    'temporal',
    [dict(type='RandomTemporalSample', clip_len=6), dict(type='UniformTemporalSample', clip_len=6)],
)
def test_what_draws_is_refused(temporal):
    with pytest.raises(ValueError, match='without torch only'):
        numpy_sampler(temporal)


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
    found = make_batch(
        list(InputReader().clips(store)), InputSpec(layout, drop, True, '', temporal), numpy_sampler(temporal)
    )
    for name, value in found.items():
        assert np.array_equal(value, expected[name].numpy()), name
