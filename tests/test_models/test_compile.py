"""``torch.compile`` takes a training step's forward pass whole, and its losses and gradients are the plain
path's.
"""

import copy

import pytest
import torch
from st_consistency_parts import encoder_config, make_inputs, make_view

from signbert_mm.registry import MODELS

HEAD = dict(type='LinearFusionHead', num_classes=5, in_channels=8)


def pretraining_of_views():
    return MODELS.build(
        dict(
            type='STConsistency',
            encoder=encoder_config(),
            projector=dict(type='ProjectionHead', in_channels=8, out_channels=6),
            bank=dict(size=16, init='random'),
            loss_contrast=dict(type='InfoNCELoss'),
            loss_consistency=dict(type='ConsistencyLoss'),
            loss_transfer=dict(type='KnowledgeTransferLoss', num_anchors=8),
        )
    )


@pytest.fixture
def case(pretrainer, recognizer, make_batch):
    """``case(name)``: a narrow model and what it reads."""

    def make(name):
        torch.manual_seed(0)
        if name == 'SignBERT':
            return pretrainer(backbone=dict(num_layers=1)), make_batch()
        if name == 'SignRecognizer':
            return recognizer(backbone=dict(num_layers=1)), make_batch()
        if name == 'STConsistency':
            return pretraining_of_views(), dict(views=[make_view(seed=0), make_view(seed=1)])
        return MODELS.build(
            dict(type=name, encoder=encoder_config(parts=('hand',)), head=HEAD, modalities=('joint',))
        ), make_inputs()

    return make


def step(model, inputs, forward):
    torch.manual_seed(1)
    losses = forward(inputs, mode='loss')
    sum(losses.values()).backward()
    return {
        **losses,
        **{name: parameter.grad for name, parameter in model.named_parameters()},
        **dict(model.named_buffers()),
    }


@pytest.mark.parametrize(
    'name, backend',
    [
        ('SignBERT', 'aot_eager'),
        ('SignRecognizer', 'eager'),
        ('STConsistency', 'eager'),
        ('STConsistencyRecognizer', 'aot_eager'),
    ],
)
def test_one_graph_with_equal_results(case, name, backend):
    """``fullgraph`` makes a break an error. 'eager' runs the captured graph as it is, 'aot_eager' its
    functional form and a captured backward pass;
    both without a compiler. What 'aot_eager' would add for STConsistency, its encoder, is the recogniser's
    too.
    """
    model, inputs = case(name)
    other = copy.deepcopy(model.train())
    torch._dynamo.reset()
    got = step(model, inputs, torch.compile(model, backend=backend, fullgraph=True))
    expected = step(other, inputs, other)
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(
            got[key], value, atol=1e-4, rtol=1e-3, msg=lambda message, key=key: f'{key}: {message}'
        )


def test_convolutions_in_time_behind_dropout():
    """In training with dropout, which the models above go without: its backward pass must see the memory
    layout that was captured.
    """
    torch._dynamo.reset()
    torch.manual_seed(0)
    gesture = dict(type='ResidualGestureGCN', joint_channels=(4,), part_channels=(8,))
    model = MODELS.build(
        dict(type='TemporalGCNEmbedder', gesture=gesture, channels=64, num_blocks=1, dropout=0.25)
    ).train()
    points, valid = torch.rand(2, 64, 21, 2), torch.ones(2, 64, dtype=torch.bool)
    torch.compile(model, backend='aot_eager', fullgraph=True)(points, valid).square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
