"""demo/run_demo.py: what it shows of a log, its table, and its failures."""

import json

import pytest
from source_files import load_file


@pytest.fixture
def demo():
    return load_file('demo/run_demo.py')


def test_progress_lines_are_understood(demo):
    line = (
        'INFO - Epoch(train)  [3][ 5/34]  lr: 1.0000e-03  eta: 1 day, 0:04:22  time: 0.5  data_time: 0.1 '
        ' '
        'loss: 2.5160  loss_rec: 2.4'
    )
    assert demo._TRAIN_LINE.search(line).groups() == ('3', '5', '34', '1 day, 0:04:22', '2.5160')
    assert demo._TEST_LINE.search('Epoch(test) [ 1/8]    eta: 0:00:02  time: 0.1').groups() == (
        '1',
        '8',
        '0:00:02',
    )


def test_table_from_the_tests_of_both_runs(demo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, 'WORK', tmp_path)
    for name, top1 in (('pretrained', 61.25), ('scratch', 40.0)):
        (tmp_path / name).mkdir()
        metrics = {'p_i/top1': top1, 'p_i/top5': 80.0, 'p_c/top1': 39.0, 'p_c/top5': 79.0, 'clips': 480.0}
        (tmp_path / name / 'test.json').write_text(json.dumps(metrics))
    demo.print_table()
    shown = capsys.readouterr().out
    assert shown.strip() == (tmp_path / 'table.txt').read_text().strip()
    rows = [line.split() for line in shown.splitlines()]
    assert ['with', 'pre-training', '61.2', '80.0', '39.0', '79.0'] in rows and [
        'from',
        'scratch',
        '40.0',
        '80.0',
        '39.0',
        '79.0',
    ] in rows
    assert '480 test clips' in shown


def test_a_failing_step_shows_why(demo, tmp_path):
    with pytest.raises(SystemExit, match='no such split'):
        demo.run(['python', '-c', 'raise SystemExit("no such split")'], tmp_path / 'step.log')


def test_steps_out_of_order_say_what_to_run(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, 'WORK', tmp_path)
    with pytest.raises(SystemExit, match='run the steps before first'):
        demo.checkpoint('pretrain')
