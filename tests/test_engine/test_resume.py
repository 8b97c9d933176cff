"""A run that was killed and resumed equals, bit for bit, the one that was not."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from same_training import assert_same_training

from signbert_mm.engine import CheckpointError
from signbert_mm.engine.hooks.load_report_hook import _reuse_equal_metainfo
from signbert_mm.errors import ConfigError
from signbert_mm.files.checkpoints import load_checkpoint_file


class StopAt(Hook):
    """Ends the process's training as a kill would, without ending the process."""

    priority = 'LOWEST'

    def __init__(self, at):
        self.at = at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.at:
            raise KeyboardInterrupt


BY_ITER = dict(default_hooks__checkpoint__by_epoch=False, default_hooks__checkpoint__interval=4)


def run_with_stops(toy_runner, work_dir, stops, **changes):
    for stop in stops:
        runner = toy_runner(work_dir=work_dir, resume=True, **changes)
        runner.register_hook(StopAt(stop))
        with pytest.raises(KeyboardInterrupt):
            runner.train()
    runner = toy_runner(work_dir=work_dir, resume=True, **changes)
    runner.train()
    return runner


@pytest.mark.parametrize(
    'changes',
    [
        BY_ITER,
        dict(BY_ITER, train_dataloader__num_workers=1, train_dataloader__persistent_workers=True),
        dict(BY_ITER, train_dataloader__dataset__size=22),  # the last batch is short
        dict(default_hooks__checkpoint__save_best='acc'),
        dict(BY_ITER, optim_wrapper__type='SignAmpOptimWrapper', optim_wrapper__accumulative_counts=2),
    ],
    ids=['iterations', 'workers', 'short batch', 'epochs', 'amp'],
)
def test_stopped_run_equals_whole_run(toy_runner, tmp_path, changes):
    toy_runner(work_dir=str(tmp_path / 'whole'), **changes).train()
    # an iterator that is interrupted in this process takes seconds to give up its workers: one stop only
    stops = (9,) if 'train_dataloader__num_workers' in changes else (3, 7, 11, 18, 21)
    run_with_stops(toy_runner, str(tmp_path / 'stopped'), stops, **changes)
    name = 'iter_24.pth' if 'default_hooks__checkpoint__by_epoch' in changes else 'epoch_4.pth'
    assert_same_training(tmp_path / 'whole' / name, tmp_path / 'stopped' / name)


def test_skipped_batches_are_not_loaded(toy_runner, tmp_path, monkeypatch):
    import toy_parts

    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=1, **BY_ITER).train()
    for name in ('iter_6.pth',):
        os.unlink(tmp_path / name)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    seen = []
    item = toy_parts.ToyDataset.__getitem__
    monkeypatch.setattr(
        toy_parts.ToyDataset, '__getitem__', lambda self, index: (seen.append(index), item(self, index))[1]
    )
    cfg = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    toy_runner(work_dir=str(tmp_path), resume=True, train_cfg__max_epochs=1, **BY_ITER, **cfg).train()
    assert len(seen) == 8  # 2 of 6 batches of 4


@pytest.mark.parametrize(
    'change', [dict(train_dataloader__batch_size=8), dict(train_dataloader__dataset__size=40)]
)
def test_resume_in_mid_epoch_refuses_other_batches(toy_runner, tmp_path, change):
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=1, **BY_ITER).train()
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    with pytest.raises(
        CheckpointError,
        match=r'iter_4\.pth was taken 4 batches into an epoch of '
        r'6.*there.*here',
    ):
        toy_runner(work_dir=str(tmp_path), resume=True, **BY_ITER, **change).train()


FEWER = dict(train_dataloader__batch_size=8)  # 3 batches an epoch in place of 6
OTHER_EPOCHS = dict(
    fewer=(FEWER, 3),
    more=(dict(train_dataloader__batch_size=2), 12),
    clips=(dict(train_dataloader__dataset__size=17), 5),
)


@pytest.mark.parametrize(
    'first', [dict(), dict(BY_ITER, default_hooks__checkpoint__interval=6)], ids=['by epoch', 'by iteration']
)
@pytest.mark.parametrize('other', OTHER_EPOCHS)
def test_every_batch_of_a_resumed_epoch_is_trained_on_whatever_their_number(
    toy_runner, tmp_path, first, other
):
    change, batches = OTHER_EPOCHS[other]
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=2, **first).train()
    runner = toy_runner(work_dir=str(tmp_path), resume=True, **first, **change)
    runner.train()
    assert runner.iter == runner.max_iters == 12 + 2 * batches and runner.epoch == 4
    lines = [line.split() for line in (tmp_path / 'losses.txt').read_text().splitlines()]
    assert [int(line[0]) for line in lines] == list(range(12 + 2 * batches))


def test_weights_change_in_the_epochs_after_and_another_resume_goes_on(toy_runner, tmp_path):
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=1).train()
    for epochs, change in ((2, FEWER), (3, dict(train_dataloader__batch_size=2)), (4, FEWER)):
        toy_runner(work_dir=str(tmp_path), resume=True, train_cfg__max_epochs=epochs, **change).train()
        old, new = (load_checkpoint_file(tmp_path / f'epoch_{epoch}.pth') for epoch in (epochs - 1, epochs))
        assert not torch.equal(old['state_dict']['head.fc.weight'], new['state_dict']['head.fc.weight'])
    assert new['meta']['iter'] == 6 + 3 + 12 + 3 and new['meta']['epoch'] == 4
    assert new['meta']['progress'] == dict(batches_done=0, batches_per_epoch=3, batch_size=8, world_size=1)


def test_middle_of_an_epoch_after_the_number_of_batches_has_changed(toy_runner, tmp_path):
    """The place within the epoch counts from its own first batch."""
    toy_runner(work_dir=str(tmp_path / 'a'), train_cfg__max_epochs=1).train()
    shutil.copytree(tmp_path / 'a', tmp_path / 'b')
    toy_runner(work_dir=str(tmp_path / 'a'), resume=True, **BY_ITER, **FEWER).train()
    run_with_stops(toy_runner, str(tmp_path / 'b'), (9, 14), **BY_ITER, **FEWER)
    assert_same_training(tmp_path / 'a' / 'iter_15.pth', tmp_path / 'b' / 'iter_15.pth')


def without_progress(path, **runtime_info):
    content = torch.load(path, weights_only=True)
    del content['meta']['progress']
    content['message_hub']['runtime_info'].update(runtime_info)
    torch.save(content, path)


def test_a_checkpoint_of_stock_mmengine_says_its_epochs_length_in_its_message_hub(toy_runner, tmp_path):
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=2).train()
    without_progress(tmp_path / 'epoch_2.pth')
    runner = toy_runner(work_dir=str(tmp_path), resume=True, **FEWER)
    runner.train()
    assert runner.iter == 12 + 2 * 3


def test_a_checkpoint_that_does_not_say_is_refused(toy_runner, tmp_path):
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=2).train()
    without_progress(tmp_path / 'epoch_2.pth', max_iters=None)
    with pytest.raises(
        CheckpointError,
        match=r'epoch_2\.pth is of epoch 2 and iteration 12, and does not '
        r'say how many batches',
    ):
        toy_runner(work_dir=str(tmp_path), resume=True, **FEWER).train()


def test_another_checkpoint_hook_resumes_too_and_says_when_nothing_is_left(toy_runner, tmp_path, monkeypatch):
    stock = dict(default_hooks__checkpoint__type='mmengine.CheckpointHook')
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=2, **stock).train()
    runner = toy_runner(work_dir=str(tmp_path), resume=True, **stock)
    runner.train()
    assert runner.iter == 24
    runner = toy_runner(work_dir=str(tmp_path), resume=True)
    said = []
    monkeypatch.setattr(runner.logger, 'warning', said.append)
    runner.train()
    assert any(
        'Nothing is left to train: the checkpoint is of the end of epoch 4, and train_cfg.max_epochs '
        'is 4' in line
        for line in said
    )


def test_an_epoch_without_a_batch_is_an_error(toy_runner, tmp_path):
    with pytest.raises(
        ConfigError,
        match=r'train_dataloader gives no batch.*24 clips for 1 processes with '
        r'batch size 32, drop_last=True',
    ):
        toy_runner(
            work_dir=str(tmp_path), train_dataloader__batch_size=32, train_dataloader__drop_last=True
        ).train()


@pytest.mark.parametrize('epochs', [0, -1])
def test_a_training_without_an_epoch_is_an_error(toy_runner, tmp_path, epochs):
    with pytest.raises(
        ConfigError, match=rf'train_cfg\.max_epochs must be at least 1, got {epochs}: nothing'
    ):
        toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=epochs, param_scheduler=None).train()


def test_an_interval_without_an_epoch_is_an_error(toy_runner, tmp_path):
    with pytest.raises(ConfigError, match=r'train_cfg\.val_interval must be at least 1, got 0.*--no-val'):
        toy_runner(work_dir=str(tmp_path), train_cfg__val_interval=0).train()


def test_schedules_given_in_epochs_stand_at_their_epoch(toy_runner, tmp_path):
    schedules = [dict(type='CosineAnnealingLR', T_max=4, end=4, by_epoch=True, convert_to_iter_based=True)]
    rates = {}
    for name, change in (('same', {}), ('fewer', FEWER)):
        folder = str(tmp_path / name)
        toy_runner(work_dir=folder, train_cfg__max_epochs=2, param_scheduler=schedules).train()
        runner = toy_runner(work_dir=folder, resume=True, param_scheduler=schedules, **change)
        rates[name] = Rates()
        runner.register_hook(rates[name])
        runner.train()
    assert len(rates['same'].seen) == 12 and len(rates['fewer'].seen) == 6
    np.testing.assert_allclose(rates['same'].seen[::2], rates['fewer'].seen, rtol=1e-6)
    expected = 0.005 * (1 + np.cos(np.pi * np.arange(12, 24) / 24))
    np.testing.assert_allclose(rates['same'].seen, expected, rtol=1e-6)


class Rates(Hook):
    """The learning rate of every step."""

    priority = 'HIGH'

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(runner.optim_wrapper.get_lr()['lr'][0])


@pytest.mark.parametrize(
    'absent, named',
    [
        (['optimizer'], 'optimizer'),
        (['optimizer', 'message_hub', 'param_schedulers'], 'message_hub, optimizer'),
        (['epoch'], r'meta\.epoch'),
    ],
)
def test_weights_alone_are_not_resumed_from(toy_runner, tmp_path, absent, named):
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=1).train()
    content = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    for key in absent:
        content.pop(key, None)
        content['meta'].pop(key, None)
    path = str(tmp_path / 'published.pth')
    torch.save(content, path)
    with pytest.raises(
        CheckpointError,
        match=rf'published\.pth cannot be resumed from: it holds no {named}, '
        r'.*load_from=.*without --resume',
    ):
        toy_runner(work_dir=str(tmp_path / 'w'), resume=True, load_from=path).train()
    # a new run from its weights
    toy_runner(work_dir=str(tmp_path / 'w'), load_from=path, train_cfg__max_epochs=1).train()


def test_a_run_that_saves_no_optimizer_resumes_with_a_warning(toy_runner, tmp_path, monkeypatch):
    changes = dict(work_dir=str(tmp_path), default_hooks__checkpoint__save_optimizer=False)
    toy_runner(train_cfg__max_epochs=1, **changes).train()
    runner = toy_runner(resume=True, **changes)
    said = []
    monkeypatch.setattr(runner.logger, 'warning', said.append)
    runner.train()
    assert any('no optimizer state' in line for line in said) and runner.epoch == 4


def test_killed_at_random_moments(root, tmp_path):
    """Real processes, SIGKILL: three at random, one in the middle of writing a checkpoint."""
    options = [
        '--no-validate',
        '--cfg-options',
        'train_cfg.max_epochs=10',
        'default_hooks.checkpoint.by_epoch=False',
    ]
    options += [
        'default_hooks.checkpoint.interval=5',
        'default_hooks.checkpoint.max_keep_ckpts=2',
        'log_level=WARNING',
    ]
    driver, train, config = (
        str(root / place)
        for place in ('tests/toys/kill_driver.py', 'tools/train.py', 'tests/toys/toy_config.py')
    )
    environment = dict(
        os.environ, PYTHONPATH=f'{root}{os.pathsep}{root / "tests" / "toys"}', OMP_NUM_THREADS='1'
    )
    out = subprocess.run(
        [sys.executable, driver, train, config, str(tmp_path), '60', '3', '0', *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert out.returncode == 0, out.stderr
    report = json.loads(out.stdout.splitlines()[-1])
    assert (
        report['whole'] == 0
        and report['finished'] == 0
        and report['killed'] == [-9] * 3
        and report['torn'] == -9
    ), report
    assert_same_training(tmp_path / 'whole' / 'iter_60.pth', tmp_path / 'killed' / 'iter_60.pth')
    assert sorted(name for name in os.listdir(tmp_path / 'killed') if '.pth' in name) == [
        'iter_55.pth',
        'iter_60.pth',
    ]


def test_equal_data_is_no_other_data():
    name = 'sign_49'
    now = dict(layout=name, stores=[dict(layout=name)])
    before = dict(layout=name, stores=[dict(layout=''.join(['sign', '_49']))])  # equal, but no shared string
    assert before == now and pickle.dumps(before) != pickle.dumps(now)  # what mmengine warns of
    meta = dict(dataset_meta=before)
    _reuse_equal_metainfo(meta, SimpleNamespace(metainfo=now))
    assert pickle.dumps(meta['dataset_meta']) == pickle.dumps(now)
    for other in (dict(layout='hands_42'), dict(layout=np.arange(3)), None):
        meta = dict(dataset_meta=other)
        _reuse_equal_metainfo(
            meta, SimpleNamespace(metainfo=dict(layout=np.arange(3)) if isinstance(other, dict) else now)
        )
        assert meta['dataset_meta'] is other
