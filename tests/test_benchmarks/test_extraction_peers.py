import json

import numpy as np
import pytest
from source_files import load_file

from signbert_mm.layouts import get_layout

benchmark = load_file('benchmarks/extraction_peers.py')
LEFT, RIGHT = (list(get_layout('coco_wholebody_133').parts[part]) for part in ('left_hand', 'right_hand'))


def test_differences_are_shares_of_the_hand_where_both_have_it():
    expected = np.zeros((3, 133, 3), np.float32)
    # A hand of 40 by 20 pixels in frames 0 and 1.
    expected[:2, LEFT, 0], expected[:2, LEFT, 1] = np.linspace(10, 50, 21), np.linspace(5, 25, 21)
    expected[:2, LEFT, 2] = 1
    poses = expected.copy()
    poses[0, LEFT, 1] += 2
    poses[1, LEFT] = 0
    poses[2, RIGHT] = 1
    found = benchmark.hand_differences(poses, expected)
    assert found['left_hand'] == dict(here=1, there=2, both=1, apart=pytest.approx(2 / 40, rel=1e-5))
    assert found['right_hand'] == dict(here=1, there=0, both=0, apart=None)


def test_pieces_of_a_run():
    spent = benchmark.pieces(lambda times: [None for _ in benchmark.timed(range(20), times)])
    assert len(spent) == 3 and (spent >= 0).all()


def test_a_command_that_fails_is_named():
    assert benchmark.command_time(['/bin/sh', '-c', 'exit 0']) >= 0
    with pytest.raises(RuntimeError, match='/bin/sh -c exit 3 ended with status'):
        benchmark.command_time(['/bin/sh', '-c', 'exit 3'])


def test_what_is_printed_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark.os, 'sched_setaffinity', lambda *_: None)
    monkeypatch.setattr(benchmark, 'has_peer', lambda: False)
    monkeypatch.setattr(benchmark, 'stream_times', lambda *_: dict(reading=0.01))
    monkeypatch.setattr(benchmark, 'command_times', lambda *_: {'start mediapipe': 1.5})
    benchmark.main(['a.mp4', '--parts', 'stream', 'command', '--out', str(tmp_path / 'new' / 'figures.json')])
    out = capsys.readouterr().out
    assert 'pose-format is not installed and left out' in out and '100.0 frames/s' in out
    assert json.loads((tmp_path / 'new' / 'figures.json').read_text())['command'] == {'start mediapipe': 1.5}
