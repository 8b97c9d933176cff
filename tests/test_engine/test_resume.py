"""A run that was killed and resumed equals, bit for bit, the one that was not."""

import json
import os
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.hooks import Hook
from same_training import assert_same_training

from signbert_mm.engine import CheckpointError
from signbert_mm.engine.hooks.load_report_hook import _as_it_is_now


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
    monkeypatch.setattr(toy_parts.ToyDataset, '__getitem__', lambda self, index: (seen.append(index), item(self, index))[1])
    cfg = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    toy_runner(work_dir=str(tmp_path), resume=True, train_cfg__max_epochs=1, **BY_ITER, **cfg).train()
    assert len(seen) == 8  # 2 of 6 batches of 4


@pytest.mark.parametrize('change', [dict(train_dataloader__batch_size=8), dict(train_dataloader__dataset__size=40)])
def test_resume_in_mid_epoch_refuses_other_batches(toy_runner, tmp_path, change):
    toy_runner(work_dir=str(tmp_path), train_cfg__max_epochs=1, **BY_ITER).train()
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    with pytest.raises(CheckpointError, match=r'iter_4\.pth was taken 4 batches into an epoch of 6.*there.*here'):
        toy_runner(work_dir=str(tmp_path), resume=True, **BY_ITER, **change).train()


def test_killed_at_random_moments(root, tmp_path):
    """Real processes, SIGKILL: three at random, one in the middle of writing a checkpoint."""
    options = ['--no-validate', '--cfg-options', 'train_cfg.max_epochs=10', 'default_hooks.checkpoint.by_epoch=False']
    options += ['default_hooks.checkpoint.interval=5', 'default_hooks.checkpoint.max_keep_ckpts=2', 'log_level=WARNING']
    driver, train, config = (str(root / place) for place in ('tests/toys/kill_driver.py', 'tools/train.py', 'tests/toys/toy_config.py'))
    environment = dict(os.environ, PYTHONPATH=f'{root}{os.pathsep}{root / "tests" / "toys"}', OMP_NUM_THREADS='1')
    out = subprocess.run(
        [sys.executable, driver, train, config, str(tmp_path), '60', '3', '0', *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert out.returncode == 0, out.stderr
    report = json.loads(out.stdout.splitlines()[-1])
    assert report['whole'] == 0 and report['finished'] == 0 and report['killed'] == [-9] * 3 and report['torn'] == -9, report
    assert_same_training(tmp_path / 'whole' / 'iter_60.pth', tmp_path / 'killed' / 'iter_60.pth')
    assert sorted(name for name in os.listdir(tmp_path / 'killed') if '.pth' in name) == ['iter_55.pth', 'iter_60.pth']


def test_equal_data_is_no_other_data():
    name = 'sign_49'
    now = dict(layout=name, stores=[dict(layout=name)])
    before = dict(layout=name, stores=[dict(layout=''.join(['sign', '_49']))])  # equal, but no shared string
    assert before == now and pickle.dumps(before) != pickle.dumps(now)  # what mmengine warns of
    meta = dict(dataset_meta=before)
    _as_it_is_now(meta, SimpleNamespace(metainfo=now))
    assert pickle.dumps(meta['dataset_meta']) == pickle.dumps(now)
    for other in (dict(layout='hands_42'), dict(layout=np.arange(3)), None):
        meta = dict(dataset_meta=other)
        _as_it_is_now(meta, SimpleNamespace(metainfo=dict(layout=np.arange(3)) if isinstance(other, dict) else now))
        assert meta['dataset_meta'] is other
