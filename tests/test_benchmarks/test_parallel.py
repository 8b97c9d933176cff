"""benchmarks/parallel.py and benchmarks/scale.py run and give their keys."""

import json
import os
import subprocess
import sys

import pytest

TINY = """
_base_ = [{base!r}]
model = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16))),
    backbone=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=8),
    decoder=dict(in_channels=16),
)
"""


@pytest.fixture
def run(root, tmp_path):
    def start(script, *arguments):
        environment = dict(os.environ, PYTHONPATH=str(root), OMP_NUM_THREADS='1', MASTER_PORT='0')
        command = [sys.executable, root / 'benchmarks' / script, *arguments, '--out', tmp_path / 'f.json']
        out = subprocess.run(
            [str(part) for part in command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert out.returncode == 0, out.stderr[-3000:]
        return out.stdout, json.loads((tmp_path / 'f.json').read_text())

    return start


@pytest.mark.parametrize('wrapper', ['ddp', 'fsdp'])
def test_parallel(root, tmp_path, run, wrapper):
    (tmp_path / 'tiny.py').write_text(
        TINY.format(base=str(root / 'configs' / '_base_' / 'models' / 'signbert_pretrain.py'))
    )
    small = ['--batch', '2', '--frames', '4', '--repeats', '1', '--warmup', '0']
    table, figures = run('parallel.py', '--config', tmp_path / 'tiny.py', '--wrapper', wrapper, *small)
    for name in ('efficiency', 'shared machine', 'cpu ratio', 'clips_per_s'):
        assert figures[name] > 0 and name in table
    assert set(figures['wall_ms']) == {'alone', 'together', 'parallel'} and figures['about']['ranks'] == 1


def test_scale(tmp_path, run):
    table, figures = run(
        'scale.py',
        '--clips',
        '20',
        '60',
        '--frames',
        '6',
        '--clip-len',
        '4',
        '--batch',
        '4',
        '--written',
        '30',
        '--folder',
        tmp_path,
    )
    assert [row['clips'] for row in figures['sizes']] == [20, 60] and all(
        row['epoch_s'] > 0 and row['worker_mb'] > 0 for row in figures['sizes']
    )
    assert (
        figures['sizes'][1]['disk_mb'] < 1
        and 'writer:' in table
        and not list(tmp_path.glob('*/keypoints.npy'))
    )
