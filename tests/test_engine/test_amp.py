import pytest
import torch
from mmengine.optim import AmpOptimWrapper
from torch import nn

from signbert_mm.engine import SignAmpOptimWrapper
from signbert_mm.registry import OPTIM_WRAPPERS


def wrapper(**options):
    model = nn.Linear(4, 3)
    return model, SignAmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1), **options)


def test_cpu_runs_in_bfloat16_and_updates_float32_weights():
    model, amp = wrapper(clip_grad=dict(max_norm=1.0))
    before = model.weight.detach().clone()
    with amp.optim_context(model):
        out = model(torch.ones(2, 4))
        assert out.dtype is torch.bfloat16
        # a part that leaves autocast, as losses do, is left alone
        with torch.autocast('cpu', enabled=False):
            assert (out.float() @ torch.ones(3, 1)).dtype is torch.float32
    amp.update_params(out.float().sum())
    assert model.weight.dtype is torch.float32 and not torch.equal(model.weight, before)
    assert not amp.loss_scaler.is_enabled() and isinstance(amp, AmpOptimWrapper)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(dtype='float16'), 'needs a CUDA device'),
        (dict(dtype='float64'), "must be 'bfloat16' or 'float16'"),
        (dict(dtype='half'), "must be 'bfloat16' or 'float16'"),
        (dict(loss_scale='static'), 'loss_scale'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        wrapper(**options)


def test_state_of_a_gpu_run_without_scaler_loads_and_back():
    _, amp = wrapper()
    _, other = wrapper()
    state = amp.state_dict()
    assert state['loss_scaler'] == {}
    other.load_state_dict(state)


def test_takes_mmengines_name_in_this_scope():
    assert (
        OPTIM_WRAPPERS.get('AmpOptimWrapper')
        is SignAmpOptimWrapper
        is OPTIM_WRAPPERS.get('SignAmpOptimWrapper')
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('dtype', [None, 'float16', 'bfloat16'])
def test_cuda(dtype):
    model = nn.Linear(4, 3).cuda()
    amp = SignAmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1), dtype=dtype)
    before = model.weight.detach().clone()
    with amp.optim_context(model):
        out = model(torch.ones(2, 4, device='cuda'))
    assert out.dtype is (torch.float16 if dtype == 'float16' else amp.cast_dtype)
    assert amp.loss_scaler.is_enabled() is (dtype == 'float16' or not torch.cuda.is_bf16_supported())
    amp.update_params(out.float().sum())
    assert not torch.equal(model.weight, before)
    amp.load_state_dict(amp.state_dict())
