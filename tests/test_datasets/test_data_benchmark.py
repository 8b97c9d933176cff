import json
import os
import subprocess
import sys


def test_keys(root, tmp_path):
    command = [
        sys.executable,
        str(root / 'benchmarks' / 'data.py'),
        '--clips',
        '8',
        '--batch',
        '4',
        '--open-clips',
        '50',
        '--seconds',
        '0.01',
    ]
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(filter(None, [str(root), os.environ.get('PYTHONPATH')])),
    }
    table = subprocess.run(
        [*command, '--out', str(tmp_path / 'f.json')],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout
    figures = json.loads((tmp_path / 'f.json').read_text())
    for name in ('clips_per_s_worker', 'open_200k_s', 'open_200k_mb'):
        assert figures[name] >= 0 and name in table
