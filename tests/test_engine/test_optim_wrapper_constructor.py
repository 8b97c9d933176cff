"""Settings for each kind of parameter."""

import pytest
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from signbert_mm.models.token_batch_norm import TokenBatchNorm


def build(model, **paramwise):
    optimizer = dict(type='SGD', lr=1.0, weight_decay=0.5)
    return build_optim_wrapper(
        model, dict(type='OptimWrapper', optimizer=optimizer, paramwise_cfg=paramwise or None)
    )


@pytest.fixture
def model():
    init_default_scope('signbert_mm')
    return nn.ModuleDict(dict(fc=nn.Linear(3, 3), inner=nn.Sequential(TokenBatchNorm(3), nn.LayerNorm(3))))


def test_token_batch_norm_is_a_norm(model):
    wrapper = build(model, norm_decay_mult=0.0, bias_lr_mult=2.0)
    setting = {id(group['params'][0]): (group['lr'], group['weight_decay']) for group in wrapper.param_groups}
    # bias_lr_mult does not concern the biases of norms.
    expected = {'fc.weight': (1.0, 0.5), 'fc.bias': (2.0, 0.5)}
    for name, parameter in model.named_parameters():
        assert setting[id(parameter)] == expected.get(name, (1.0, 0.0)), name


def test_without_paramwise_cfg_nothing_changes(model):
    (group,) = build(model).param_groups
    assert [id(p) for p in group['params']] == [id(p) for p in model.parameters()]
