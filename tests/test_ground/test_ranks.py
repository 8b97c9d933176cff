"""Two gloo processes give what one gives with the same global batch: layer norm, no dropout."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from signbert_mm.evaluation import load_predictions
from signbert_mm.files.checkpoints import load_checkpoint_file


def free_port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return str(server.getsockname()[1])


@pytest.fixture
def two_ranks(root, tmp_path):
    """``two_ranks('dist_train.sh', *arguments)``: a launch script with two CPU processes."""

    def run(script, *arguments):
        path = f'{root}{os.pathsep}{root / "tests" / "toys"}'
        env = dict(os.environ, PYTHONPATH=path, OMP_NUM_THREADS='1', PYTHON=sys.executable, PORT=free_port())
        command = [str(part) for part in ('bash', root / 'tools' / script, *arguments)]
        out = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=900)
        assert out.returncode == 0, out.stdout[-2000:] + out.stderr[-3000:]

    return run


def losses(folder):
    return [float(line.split()[1]) for line in (folder / 'losses.txt').read_text().splitlines()]


def assert_same(tmp_path, count):
    assert len(losses(tmp_path / 'one')) == count
    assert losses(tmp_path / 'two') == pytest.approx(losses(tmp_path / 'one'), rel=1e-5)
    one, two = (
        load_checkpoint_file(tmp_path / name / 'epoch_2.pth')['state_dict'] for name in ('one', 'two')
    )
    for key, value in one.items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(two[key], value, rtol=1e-4, atol=1e-5, msg=key)


NO_DROPOUT = "model['backbone']['dropout'] = 0.0\n"


def test_signbert(run_tool, two_ranks, tmp_path, make_store, make_config):
    """Every mask and augmentation is the same, whichever rank has the clip; clips without a hand count too.

    SGD: Adam makes rounding noise large.
    """
    text = NO_DROPOUT + "optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=0.01))\n"
    config = make_config('pretrain', make_store(train=24, test=1, no_hand=(3, 8)), text)
    run_tool(
        'train.py',
        config,
        '--no-validate',
        '--work-dir',
        'one',
        '--cfg-options',
        'train_dataloader.batch_size=8',
    )
    two_ranks('dist_train.sh', config, 2, '--no-validate', '--work-dir', 'two')
    assert_same(tmp_path, 6)


def test_two_ranks_validate_the_model_that_is_saved(run_tool, two_ranks, tmp_path, make_store, make_config):
    """Norms that each rank keeps for itself: the scores of the last validation are those of the checkpoint,
    also where an average of the weights is validated and saved.
    """
    text = (
        "model['embedder']['gesture']['sync_norm'] = False\n"
        "custom_hooks.append(dict(type='EMAHook', momentum=0.3))\n"
        "val_evaluator = [test_evaluator, dict(type='DumpPredictions', out_file_path='val.pkl')]\n"
    )
    config = make_config('recognise', make_store(train=24, test=7), text)
    two_ranks('dist_train.sh', config, 2, '--work-dir', 'two')
    run_tool('test.py', config, 'two/epoch_2.pth', '--work-dir', 't', '--dump', 'test.pkl')
    val, test = (load_predictions(tmp_path / name) for name in ('val.pkl', 'test.pkl'))
    assert [clip['sample_idx'] for clip in val] == list(range(7)) == [clip['sample_idx'] for clip in test]
    for one, other in zip(val, test):
        torch.testing.assert_close(one['pred_scores'], other['pred_scores'], rtol=0, atol=1e-6)


def test_recogniser_and_accuracy(run_tool, two_ranks, tmp_path, make_store, make_config):
    """7 test clips: the second rank's share is filled up with a clip that the first one has."""
    text = NO_DROPOUT + (
        "model['head']['dropout'] = 0.0\noptim_wrapper = dict(optimizer=dict(_delete_=True, "
        "type='SGD', lr=0.01))\n"
    )
    config = make_config('recognise', make_store(train=24, test=7, no_hand=(3, 26)), text)
    run_tool(
        'train.py',
        config,
        '--no-validate',
        '--work-dir',
        'one',
        '--cfg-options',
        'train_dataloader.batch_size=8',
    )
    two_ranks('dist_train.sh', config, 2, '--no-validate', '--work-dir', 'two')
    assert_same(tmp_path, 6)
    two_ranks('dist_test.sh', config, 'one/epoch_2.pth', 2, '--work-dir', 't', '--out', 'two.json')
    run_tool('test.py', config, 'one/epoch_2.pth', '--work-dir', 't', '--out', 'one.json')
    one = json.loads((tmp_path / 'one.json').read_text())
    assert one['clips'] == 7 and json.loads((tmp_path / 'two.json').read_text()) == one
