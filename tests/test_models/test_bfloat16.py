"""Losses in mixed precision are those of float32 but for rounding."""

import copy

import pytest
import torch
from st_consistency_parts import encoder_config, make_inputs, make_view

from signbert_mm.engine import SignAmpOptimWrapper
from signbert_mm.registry import MODELS


@pytest.fixture(params=['SignBERT', 'SignRecognizer', 'STConsistency', 'STConsistencyRecognizer'])
def case(request, pretrainer, recognizer, make_batch):
    """A narrow model and what it reads."""
    torch.manual_seed(0)
    if request.param == 'SignBERT':
        return pretrainer(), make_batch()
    if request.param == 'SignRecognizer':
        return recognizer(), make_batch()
    if request.param == 'STConsistency':
        config = dict(
            projector=dict(type='ProjectionHead', in_channels=8, out_channels=6),
            bank=dict(size=16, init='random'),
            loss_contrast=dict(type='InfoNCELoss'),
            loss_consistency=dict(type='ConsistencyLoss'),
            loss_transfer=dict(type='KnowledgeTransferLoss', num_anchors=8),
        )
        return MODELS.build(dict(type='STConsistency', encoder=encoder_config(), **config)), dict(
            views=[make_view(seed=0), make_view(seed=1)]
        )
    head = dict(type='LinearFusionHead', num_classes=5, in_channels=8)
    return MODELS.build(
        dict(type='STConsistencyRecognizer', encoder=encoder_config(), head=head)
    ), make_inputs()


def test_losses_agree_and_weights_stay_float32(case):
    model, inputs = case
    other = copy.deepcopy(model.train())
    expected = other(inputs, mode='loss')
    amp = SignAmpOptimWrapper(
        optimizer=torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1),
        dtype='bfloat16',
    )
    with amp.optim_context(model):
        losses = model(inputs, mode='loss')
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].dtype is torch.float32
        torch.testing.assert_close(
            losses[name], value, rtol=0.05, atol=0.02, msg=lambda message, name=name: f'{name}: {message}'
        )
    amp.update_params(sum(losses.values()))
    assert all(
        parameter.dtype is torch.float32 and parameter.isfinite().all() for parameter in model.parameters()
    )
