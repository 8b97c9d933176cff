"""Real training processes, killed by SIGKILL at random moments and resumed, end with the weights of the run
that was never killed, bit for bit.
"""

import json
import os
import subprocess
import sys

import pytest
from same_training import assert_same_training


@pytest.mark.parametrize('kind, seed', [('pretrain', 1), ('recognise', 2)])
def test_killed_at_random_moments(root, tmp_path, make_store, make_config, kind, seed):
    """Four SIGKILLs: three at random, between checkpoints in the middle of epochs, and one while a checkpoint
    is being written. Dropout is on.
    """
    config = make_config(kind, make_store(train=22, test=1))  # 6 batches, the last one short
    assert (
        'dropout=0.1'
        in (
            root
            / 'configs'
            / '_base_'
            / 'models'
            / f'signbert_{"pretrain" if kind == "pretrain" else "recognizer"}.py'
        ).read_text()
    )
    options = [
        '--no-validate',
        '--cfg-options',
        'train_cfg.max_epochs=10',
        'default_hooks.checkpoint.by_epoch=False',
    ]
    options += ['default_hooks.checkpoint.interval=4', 'default_hooks.checkpoint.max_keep_ckpts=2']
    driver, train = root / 'tests' / 'toys' / 'kill_driver.py', root / 'tools' / 'train.py'
    environment = dict(
        os.environ, PYTHONPATH=f'{root}{os.pathsep}{root / "tests" / "toys"}', OMP_NUM_THREADS='1'
    )
    command = [sys.executable, driver, train, config, tmp_path, 60, 3, seed, *options]
    out = subprocess.run(
        [str(part) for part in command], env=environment, capture_output=True, text=True, timeout=900
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
        'iter_56.pth',
        'iter_60.pth',
    ]
