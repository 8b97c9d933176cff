"""The training path never waits for the device: it reads no value back, and copies no constant there."""

import copy

import pytest
import torch
from st_consistency_parts import encoder_config
from torch.utils._python_dispatch import TorchDispatchMode

from signbert_mm.models.embedders import base_gesture_gcn
from signbert_mm.registry import MODELS

# a value read back, a shape that depends on values, a tensor made from Python's numbers
WAITS = (
    'aten._local_scalar_dense',
    'aten.nonzero',
    'aten.masked_select',
    'aten.unique',
    'aten.is_nonzero',
    'aten.equal',
    'aten.lift_fresh',
)
PIPELINE = [
    dict(type='RandomFlip'),
    dict(type='RandomAffine', stretch=0.1, shear=0.1),
    dict(type='HandCrop', location='shoulders'),
    dict(type='MirrorLeftHand'),
    dict(type='RandomJointJitter'),
    dict(type='RandomHandDrop'),
]


class Watch(TorchDispatchMode):
    """Raises at an operator that would wait for a GPU; the CPU runs the same operators."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        assert not name.startswith(WAITS), f'{name} waits for the device'
        if name.startswith(('aten.index.', 'aten.index_put')):
            assert all(index is None or index.dtype != torch.bool for index in args[1]), (
                'an index of bools waits for the device'
            )
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch):
    """A CPU selects the hands that are there, which on a GPU would be a wait."""
    monkeypatch.setattr(base_gesture_gcn, 'can_select_rows', lambda x: False)


def loaded(count=4, frames=5):
    generator = torch.Generator().manual_seed(0)
    inputs = dict(
        keypoints=torch.rand(count, frames, 49, 2, generator=generator) * 400,
        scores=torch.rand(count, frames, 49, generator=generator),
        length=torch.full((count,), frames),
        image_size=torch.full((count, 2), 480.0),
        index=torch.arange(count),
        epoch=torch.zeros(count, dtype=torch.int64),
        label=torch.arange(count),
    )
    return dict(inputs=inputs)


def optimizer_of(model):
    """The fused kernel: without it Adam counts its steps on the host."""
    return torch.optim.Adam(
        [parameter for parameter in model.parameters() if parameter.requires_grad], fused=True
    )


def train_step(model, optimizer):
    data = model.data_preprocessor(loaded(), training=True)
    sum(model(**data, mode='loss').values()).backward()
    optimizer.step()
    optimizer.zero_grad()


def watch_two_steps(model):
    """Constants go to the device in the first step."""
    optimizer = optimizer_of(model)
    train_step(model, optimizer)
    with Watch():
        train_step(model, optimizer)


def test_the_watch_sees_what_it_should():
    x = torch.rand(3)
    for wait in (
        lambda: x.sum().item(),
        lambda: x[x > 0.5],
        lambda: torch.tensor([1, 2]),
        lambda: x[[0, 2]],
        lambda: bool(x[0] > 0),
        lambda: x.nonzero(),
    ):
        with Watch(), pytest.raises(AssertionError, match='waits for the device'):
            wait()


@pytest.mark.parametrize('decoder', ['hand', 'raw', 'fc2'])
def test_pretraining(pretrainer, decoder):
    pipeline = [*PIPELINE, dict(type='MaskHandTokens'), dict(type='ZeroMissing')]
    model = pretrainer(
        decoder, data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=copy.deepcopy(pipeline))
    )
    watch_two_steps(model)


def test_recognition(recognizer):
    model = recognizer(
        data_preprocessor=dict(
            type='SignDataPreprocessor', train_pipeline=[*copy.deepcopy(PIPELINE), dict(type='ZeroMissing')]
        )
    )
    watch_two_steps(model)


VIEWS = [
    dict(type='TemporalCropResize', clip_len=6, min_frames=2),
    dict(type='RandomFlip'),
    dict(type='HandCrop'),
    dict(type='NormalizeTrunk'),
    dict(
        type='RandomChoice',
        transforms=[dict(type='RandomJointMask', corrupt=0.5), dict(type='RandomAffine', space='pose')],
    ),
    dict(type='MirrorLeftHand'),
    dict(type='ZeroMissing', threshold=0.5),
    dict(type='Motion'),
]


def test_st_consistency():
    for layout in ('channel', 'sequence'):
        model = MODELS.build(
            dict(
                type='STConsistencyRecognizer',
                encoder=encoder_config(layout),
                head=dict(type='LinearFusionHead', num_classes=5, in_channels=8),
                data_preprocessor=dict(
                    type='SignDataPreprocessor',
                    train_pipeline=[dict(type='MakeViews', transforms=VIEWS, num_views=2)],
                ),
            )
        ).train()
        watch_two_steps(model)


@pytest.mark.parametrize(
    'variant',
    [{}, dict(overall_bank=dict(size=16), loss_consistency=dict(type='ConsistencyLoss', num_anchors=8))],
)
def test_st_consistency_pretraining(variant):
    """Key encoders and banks move along."""
    config = dict(
        type='STConsistency',
        encoder=encoder_config(),
        projector=dict(type='ProjectionHead', in_channels=8, out_channels=6),
        bank=dict(size=16),
        loss_contrast=dict(type='InfoNCELoss'),
        loss_consistency=dict(type='ConsistencyLoss'),
        loss_transfer=dict(type='KnowledgeTransferLoss', num_anchors=8),
        data_preprocessor=dict(
            type='SignDataPreprocessor',
            train_pipeline=[dict(type='MakeViews', transforms=VIEWS, num_views=2)],
        ),
    )
    watch_two_steps(MODELS.build(copy.deepcopy({**config, **variant})).train())


@pytest.mark.parametrize('name', ['SignBERT', 'SignRecognizer'])
def test_a_preprocessor_is_found_without_a_default_scope(pretrainer, recognizer, name):
    model = (pretrainer if name == 'SignBERT' else recognizer)(
        data_preprocessor=dict(type='SignDataPreprocessor')
    )
    assert isinstance(model.data_preprocessor, MODELS.get('SignDataPreprocessor'))
