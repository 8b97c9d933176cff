import json
import os
import pickle
import subprocess
import sys

import pytest
import torch

from signbert_mm.files.checkpoints import load_checkpoint_file

ONE = ['--cfg-options', 'train_cfg.max_epochs=1', 'log_level=WARNING']


def losses(folder):
    return [float(line.split()[1]) for line in (folder / 'losses.txt').read_text().splitlines()]


def test_train_then_test(run_tool, toy_file, tmp_path):
    run_tool('train.py', toy_file, '--work-dir', 'w', *ONE)
    checkpoint = tmp_path / 'w' / 'epoch_1.pth'
    run_tool(
        'test.py',
        toy_file,
        checkpoint,
        '--work-dir',
        't',
        '--out',
        'metrics.json',
        '--dump',
        'made/predictions.pkl',
    )
    predictions = pickle.loads((tmp_path / 'made' / 'predictions.pkl').read_bytes())
    assert len(predictions) == 24 and sorted(int(item['index']) for item in predictions) == list(range(24))
    right = sum(int(item['pred'].argmax() == item['gt']) for item in predictions)
    assert json.loads((tmp_path / 'metrics.json').read_text())['acc'] == pytest.approx(right / 24)
    # not its batch's
    assert all(item['pred'].untyped_storage().nbytes() == item['pred'].nbytes for item in predictions)


def test_flags(run_tool, toy_file, tmp_path):
    run_tool(
        'train.py',
        toy_file,
        '--amp',
        '--no-validate',
        '--seed',
        11,
        '--deterministic',
        '--auto-scale-lr',
        *ONE,
        'train_dataloader.batch_size=8',
    )
    folder = tmp_path / 'work_dirs' / 'toy_config'
    content = load_checkpoint_file(folder / 'epoch_1.pth')
    assert content['meta']['seed'] == 11 and 'val/acc' not in content['message_hub']['log_scalars']
    assert 'loss_scaler' in content['optimizer'] and content['optimizer']['param_groups'][0][
        'initial_lr'
    ] == pytest.approx(0.02)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False


def test_resume_flag(run_tool, toy_file, tmp_path):
    run_tool('train.py', toy_file, '--work-dir', 'w', *ONE)
    two = ['--cfg-options', 'train_cfg.max_epochs=2', 'log_level=WARNING']
    run_tool('train.py', toy_file, '--work-dir', 'w', '--resume', *two)
    assert len(losses(tmp_path / 'w')) == 12
    run_tool('train.py', toy_file, '--work-dir', 'other', '--resume', 'w/epoch_1.pth', *two)
    assert losses(tmp_path / 'other') == losses(tmp_path / 'w')[6:]
    start = [*ONE, 'load_from=w/epoch_1.pth']
    for folder, flag in (('started', []), ('nothing_to_resume', ['--resume'])):
        run_tool('train.py', toy_file, '--work-dir', folder, *flag, *start)
    assert (
        losses(tmp_path / 'nothing_to_resume') == losses(tmp_path / 'started') != losses(tmp_path / 'w')[:6]
    )


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['none.py'], 'config none.py does not exist'),
        (['TOY', '--cfg-options', 'model.type=ToyRecogniser'], "Did you mean 'ToyRecognizer'"),
        (['TOY', '--cfg-options', 'load_from=absent.pth'], 'checkpoint absent.pth does not exist'),
        (['TOY', '--resume', 'absent.pth'], 'checkpoint absent.pth does not exist'),
        (['TOY', '--auto-scale-lr', '--cfg-options', 'auto_scale_lr.base_batch_size=0'], 'base_batch_size'),
    ],
)
def test_mistakes_end_in_one_message(run_tool, toy_file, arguments, message):
    with pytest.raises(SystemExit) as error:
        run_tool('train.py', *[toy_file if argument == 'TOY' else argument for argument in arguments])
    assert message in str(error.value)


def test_mistakes_of_test(run_tool, toy_file, tmp_path, capsys):
    for arguments in (['--dump', 'a.json'], ['--out', 'a.pkl']):
        with pytest.raises(SystemExit):
            run_tool('test.py', toy_file, 'x.pth', *arguments)
        assert 'must end in' in capsys.readouterr().err
    with pytest.raises(SystemExit, match='x.pth does not exist'):
        run_tool('test.py', toy_file, 'x.pth')


def test_print_config(run_tool, toy_file, capsys):
    run_tool('misc/print_config.py', toy_file, '--cfg-options', 'model.dropout=0.25')
    assert 'dropout=0.25' in capsys.readouterr().out


@pytest.fixture
def environment(root):
    return dict(
        os.environ,
        PYTHONPATH=f'{root}{os.pathsep}{root / "tests" / "toys"}',
        OMP_NUM_THREADS='1',
        PYTHON=sys.executable,
    )


def shell(*arguments, cwd, env):
    out = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert out.returncode == 0, out.stdout[-2000:] + out.stderr[-3000:]
    return out.stdout + out.stderr


def free_port():
    import socket

    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return str(server.getsockname()[1])


def test_two_processes_equal_one(root, run_tool, toy_file, tmp_path, environment):
    """dist_train.sh without a GPU: two gloo ranks with batches of 4 give the losses and weights of one
    process with batches of 8 (no dropout); from
    another folder, without the package installed; and dist_test.sh."""
    options = ['model.dropout=0', 'train_cfg.max_epochs=2', 'log_level=WARNING']
    run_tool(
        'train.py', toy_file, '--work-dir', 'one', '--cfg-options', *options, 'train_dataloader.batch_size=8'
    )
    environment['PORT'] = free_port()
    shell(
        'bash',
        root / 'tools' / 'dist_train.sh',
        toy_file,
        2,
        '--work-dir',
        'two',
        '--cfg-options',
        *options,
        cwd=tmp_path,
        env=environment,
    )
    assert (
        losses(tmp_path / 'two') == pytest.approx(losses(tmp_path / 'one'), abs=1e-6)
        and len(losses(tmp_path / 'two')) == 6
    )
    one, two = (
        load_checkpoint_file(tmp_path / name / 'epoch_2.pth')['state_dict'] for name in ('one', 'two')
    )
    for key in one:
        torch.testing.assert_close(two[key], one[key], rtol=0, atol=1e-6)
    environment['PORT'] = free_port()
    arguments = [toy_file, 'two/epoch_2.pth', 2, '--work-dir', 't', '--out', 'two.json']
    shell('bash', root / 'tools' / 'dist_test.sh', *arguments, cwd=tmp_path, env=environment)
    run_tool('test.py', toy_file, 'two/epoch_2.pth', '--work-dir', 't', '--out', 'one.json')
    assert json.loads((tmp_path / 'one.json').read_text()) == json.loads((tmp_path / 'two.json').read_text())


@pytest.mark.parametrize(
    'script, count', [('dist_train.sh', 1), ('dist_test.sh', 2), ('slurm_train.sh', 2), ('slurm_test.sh', 3)]
)
def test_scripts_explain_themselves(root, script, count):
    out = subprocess.run(['bash', root / 'tools' / script, *['x'] * count], capture_output=True, text=True)
    assert out.returncode == 2 and 'usage:' in out.stderr


def test_slurm_scripts_pass_everything_on(root, tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    env = dict(
        os.environ,
        PATH=f'{tmp_path}{os.pathsep}{os.environ["PATH"]}',
        GPUS='4',
        SRUN_ARGS='--quotatype=auto --exclusive',
    )
    lines = shell(
        'bash', root / 'tools' / 'slurm_train.sh', 'part', 'job', 'config.py', '--amp', cwd=tmp_path, env=env
    ).splitlines()
    assert (
        lines[:2] == ['-p', 'part']
        and '--ntasks=4' in lines
        and '--gres=gpu:4' in lines
        and '--exclusive' in lines
    )
    assert lines[-4:] == ['config.py', '--launcher', 'slurm', '--amp']
    lines = shell(
        'bash',
        root / 'tools' / 'slurm_test.sh',
        'part',
        'job',
        'config.py',
        'a.pth',
        '--out',
        'm.json',
        cwd=tmp_path,
        env=env,
    ).splitlines()
    assert lines[-6:] == ['config.py', 'a.pth', '--launcher', 'slurm', '--out', 'm.json']
