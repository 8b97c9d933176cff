"""Hooks that make training faster leave its results alone."""

import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from signbert_mm.engine.hooks import CompileHook, DeferredLossHook
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.models import SignDataPreprocessor

SHORT = dict(train_cfg__max_epochs=2)


def weights(runner):
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


@pytest.fixture
def plain(toy_runner):
    """A run without them."""
    runner = toy_runner(**SHORT)
    runner.train()
    return runner


def test_a_compiled_run_is_the_plain_run(toy_runner, plain, monkeypatch):
    torch._dynamo.reset()
    graphs, in_validation = [], []
    monkeypatch.setitem(torch._dynamo.backends.registry._BACKENDS, 'counted', None)
    monkeypatch.setitem(
        torch._dynamo.backends.registry._COMPILER_FNS,
        'counted',
        lambda graph, inputs: graphs.append(graph) or graph.forward,
    )
    runner = toy_runner(default_hooks__compile=dict(type='CompileHook', backend='counted'), **SHORT)
    model = runner.model
    val_step = model.val_step
    monkeypatch.setattr(
        model, 'val_step', lambda data: in_validation.append(model._compiled_call_impl) or val_step(data)
    )
    runner.train()
    assert graphs and in_validation and not any(in_validation)
    assert model._compiled_call_impl is None
    found, expected = weights(runner), weights(plain)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)


@pytest.mark.parametrize('preprocess', [True, False])
def test_crop_and_masks_are_compiled_unless_told_not_to(preprocess):
    calls = []
    model = nn.Identity()
    model.data_preprocessor = SignDataPreprocessor()
    model.data_preprocessor.compile = lambda **options: calls.append(options)
    model.data_preprocessor.uncompile = lambda: calls.append('undone')
    runner = SimpleNamespace(model=model, logger=logging.getLogger('speed'))
    hook = CompileHook(backend='eager', preprocess=preprocess)
    hook.before_train(runner)
    assert calls == [hook.options] * preprocess
    hook.after_train(runner)
    assert calls == [hook.options] * preprocess + ['undone']


def test_testing_alone_compiles_nothing(toy_runner):
    runner = toy_runner(default_hooks__compile=dict(type='CompileHook', backend='eager'))
    runner.test()
    assert runner.model._compiled_call_impl is None
    assert CompileHook().options == dict(mode=None, backend='inductor', fullgraph=True, dynamic=False)


@pytest.mark.parametrize(
    'optimizer', [dict(type='Adam', lr=1e-2), dict(type='SGD', lr=1e-2, momentum=0.9, weight_decay=1e-3)]
)
def test_a_fused_optimizer_gives_the_same_weights(toy_runner, optimizer):
    found = []
    for fused in (False, True):
        runner = toy_runner(
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(optimizer, fused=fused)), **SHORT
        )
        runner.train()
        found.append(weights(runner))
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, msg=name)


@pytest.mark.parametrize('interval', [1, 4, 100])
def test_deferred_losses_are_all_there(toy_runner, plain, interval):
    runner = toy_runner(default_hooks__runtime_info=dict(type='DeferredLossHook', interval=interval), **SHORT)
    runner.train()
    for name, buffer in plain.message_hub.log_scalars.items():
        if name.startswith('train/') and 'time' not in name:
            assert list(runner.message_hub.log_scalars[name].data[0]) == pytest.approx(
                list(buffer.data[0])
            ), name
    assert 'train/loss' in runner.message_hub.log_scalars


def test_a_checkpoint_has_the_losses_that_wait(toy_runner, tmp_path):
    """Saved at iterations 4, 8 and 12 while losses are read at 5, 6 (the epoch's end), 11 and 12: none is
    missing, before or after a resume.
    """
    changes = dict(
        work_dir=str(tmp_path),
        default_hooks__runtime_info=dict(type='DeferredLossHook', interval=5),
        default_hooks__checkpoint__by_epoch=False,
        default_hooks__checkpoint__interval=4,
    )
    runner = toy_runner(**changes, **SHORT)
    runner.train()
    whole = list(runner.message_hub.log_scalars['train/loss'].data[0])
    for iteration in (4, 8, 12):
        saved = load_checkpoint_file(tmp_path / f'iter_{iteration}.pth')['message_hub']['log_scalars'][
            'train/loss'
        ]['log']
        assert saved.tolist() == whole[:iteration]
    runner = toy_runner(**changes, **SHORT, resume=True, load_from=str(tmp_path / 'iter_8.pth'))
    runner.train()
    assert list(runner.message_hub.log_scalars['train/loss'].data[0]) == whole


def test_bad_interval():
    with pytest.raises(ValueError, match='at least 1'):
        DeferredLossHook(interval=0)
