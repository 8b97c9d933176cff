"""tools/analysis_tools: values by hand, and each tool once from the command line."""

import csv
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from source_files import load_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from signbert_mm.models import GestureGCN

ROOT = Path(__file__).resolve().parents[2]


def tool(name):
    return load_file(f'tools/analysis_tools/{name}.py')


@pytest.fixture
def run(run_file):
    return run_file('tools/analysis_tools')


def rows_of(path):
    with open(path, newline='') as file:
        return list(csv.reader(file))


def write_log(folder, time, lines, broken=''):
    path = folder / time / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, lines)) + '\n' + broken)
    return path


def train_line(step, loss):
    return dict(lr=0.1, loss=loss, time=0.5, epoch=1 + step // 10, iter=step, step=step)


def test_resumed_run_is_one_run(tmp_path):
    logs = tool('analyze_logs')
    write_log(
        tmp_path,
        '1',
        [train_line(5, 3.0), train_line(10, 2.5), {'p_i/top1': 40.0, 'step': 1}, train_line(15, 9.0)],
        '{"lr": 0.1, "lo',
    )
    write_log(
        tmp_path, '2', [train_line(15, 2.0), {'p_i/top1': 50.0, 'step': 2}, {'p_i/top1': 45.0, 'step': 3}]
    )
    train, val = logs.read_run(str(tmp_path))
    assert train['loss'] == {5: 3.0, 10: 2.5, 15: 2.0} and val['p_i/top1'] == {1: 40.0, 2: 50.0, 3: 45.0}
    lines = logs.summary('run', train, val)
    assert lines[1:] == [
        '  epoch 2, iteration 15: loss 2, 0.500 s an iteration',
        '  p_i/top1: last 45.00, highest 50.00 (epoch 2)',
    ]
    assert logs.pick_keys(None, dict(run=(train, val))) == ['loss', 'p_i/top1', 'lr']
    with pytest.raises(ValueError, match='no acc in these logs; there are: .*p_i/top1'):
        logs.pick_keys(['acc'], dict(run=(train, val)))


def test_smoothing_by_hand():
    assert tool('analyze_logs').smoothed(np.array([1.0, 2.0, 6.0, 4.0]), 3).tolist() == [1.0, 1.5, 3.0, 4.0]


def test_one_bad_value_spoils_its_own_windows_alone():
    smooth = tool('analyze_logs').smoothed(np.array([1.0, np.nan, 3.0, 5.0, np.inf, 1.0, 3.0]), 2)
    np.testing.assert_array_equal(smooth, [1.0, np.nan, np.nan, 4.0, np.inf, np.inf, 2.0])


def test_logs_that_are_none(tmp_path):
    logs = tool('analyze_logs')
    with pytest.raises(FileNotFoundError, match='vis_data/scalars.json'):
        logs.read_run(str(tmp_path))
    path = write_log(tmp_path, '1', [])
    path.write_text('no json\n{"step": 1}\n')
    with pytest.raises(ValueError, match='line 1 is not JSON'):
        logs.read_run(str(tmp_path))
    for line in (
        '{"loss": 1.0, "iter": 3}',
        '{"step": "x", "loss": 1}',
        '{"step": 1.5}',
        '{"step": null}',
        '{"p_i/top1": 40.0}',
    ):
        path.write_text(line + '\n')
        with pytest.raises(ValueError, match='line 1 has no `step`'):
            logs.read_run(str(tmp_path))
    path.write_bytes(b'\x80\x02PK\xff')
    with pytest.raises(ValueError, match='scalars.json: no text; give the work directory'):
        logs.read_run(str(path))


def test_analyze_logs_from_the_command_line(run, tmp_path):
    for name in 'ab':
        write_log(
            tmp_path / name,
            '1',
            [train_line(step, 1 / step) for step in range(1, 20)] + [{'p_i/top1': 40.0, 'step': 1}],
        )
    out = run(
        'analyze_logs',
        tmp_path / 'a',
        tmp_path / 'b',
        '--out',
        tmp_path / 'curves.png',
        '--csv',
        tmp_path / 'new' / 'curves.csv',
    )
    assert 'p_i/top1: last 40.00' in out and (tmp_path / 'curves.png').stat().st_size > 10000
    head, *rows = rows_of(tmp_path / 'new' / 'curves.csv')
    assert head[:2] == ['run', 'quantity'] and {tuple(row[:2]) for row in rows} == {
        (run, key) for run in 'ab' for key in ('loss', 'lr', 'p_i/top1')
    }


def test_confusion_by_hand():
    confusion = tool('confusion_matrix')
    counts = confusion.confusion_counts(np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 2]), 4)
    assert counts.tolist() == [[1, 2, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert confusion.confused_pairs(counts) == [(0, 1, 2), (2, 0, 1)]


def test_confusion_matrix_from_the_command_line(run, tmp_path):
    scores = torch.eye(3)[[0, 1, 1, 2]]
    clips = [
        dict(sample_idx=i, gt_label=torch.tensor(label), pred_scores=scores[i])
        for i, label in enumerate([0, 0, 1, 2])
    ]
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps(clips, protocol=2))
    out = run('confusion_matrix', tmp_path / 'p.pkl', '--out', tmp_path / 'out')
    assert 'P-I 75.00 %, P-C 83.33 %' in out and '1 of 2' in out
    assert rows_of(tmp_path / 'out' / 'confusion.csv')[1:] == [
        ['0', '1', '1', '0'],
        ['1', '0', '1', '0'],
        ['2', '0', '0', '1'],
    ]
    assert rows_of(tmp_path / 'out' / 'pairs.csv')[1:] == [['0', '1', '1', '2']]
    assert (tmp_path / 'out' / 'confusion.png').is_file()
    # No pair is asked for.
    out = run('confusion_matrix', tmp_path / 'p.pkl', '--out', tmp_path / 'out', '--top', '0')
    assert 'P-I 75.00 %' in out and 'truth' not in out


def test_confusion_needs_a_recogniser_and_labels(tmp_path):
    confusion = tool('confusion_matrix')
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps([dict(sample_idx=0)]))
    with pytest.raises(ValueError, match='without pred_scores and gt_label'):
        confusion.read_labels(tmp_path / 'p.pkl')
    (tmp_path / 'p.pkl').write_bytes(
        pickle.dumps([dict(sample_idx=0, gt_label=torch.tensor(-1), pred_scores=torch.zeros(2))], protocol=2)
    )
    with pytest.raises(ValueError, match=r'labels -1\.\.-1'):
        confusion.read_labels(tmp_path / 'p.pkl')
    bad = dict(
        sample_idx=0,
        video_id='tea/1',
        gt_label=torch.tensor(1),
        pred_scores=torch.tensor([0.5, float('nan')]),
    )
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps([bad], protocol=2))
    with pytest.raises(
        ValueError, match='1 of 1 clips have scores that are not finite, the first is .tea/1.'
    ):
        confusion.read_labels(tmp_path / 'p.pkl')


class Attend(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)

    def forward(self, inputs, mode='tensor'):
        return dict(out=self.encoder(inputs['x']), note='not a tensor')


def test_operations_agree_with_torchs_counter():
    flops = tool('get_flops')
    model, inputs = Attend().eval(), dict(x=torch.rand(2, 6, 16))
    with torch.no_grad():
        by_operator = flops.analyze(model, inputs)[0].by_operator()
        fused = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        with FlopCounterMode(display=False) as counter:
            model(inputs)
        torch.backends.mha.set_fastpath_enabled(fused)
    assert by_operator['scaled_dot_product_attention'] == 2 * 2 * 6 * 6 * (8 + 8)
    assert by_operator['linear'] == 12 * (16 * 48 + 16 * 16 + 2 * 16 * 32)
    # torch counts a multiply-add as two, and not the attention of its CPU kernels
    assert counter.get_total_flops() in (
        2 * by_operator['linear'],
        2 * (by_operator['linear'] + by_operator['scaled_dot_product_attention']),
    )


def test_layout_is_found_in_nested_configs():
    flops = tool('get_flops')
    assert flops.find_layout([None, dict(dataset=dict(datasets=[dict(layout='hands_42')]))]) == 'hands_42'
    assert flops.find_layout([dict(type='x')]) == 'sign_49'


def test_operations_of_the_gesture_gcn_agree_with_torchs_counter(monkeypatch):
    flops = tool('get_flops')

    class Gestures(nn.Module):
        def __init__(self):
            super().__init__()
            self.gcn = GestureGCN(joint_channels=(16, 16, 32), part_channels=(32, 64))

        def forward(self, inputs, mode='tensor'):
            return self.gcn(inputs['hands'])

    model, inputs = Gestures().eval(), dict(hands=torch.rand(3, 21, 2))
    with torch.no_grad():
        by_operator = flops.analyze(model, inputs)[0].by_operator()
        in_place, addmm_ = [], torch.Tensor.addmm_  # which torch's counter leaves out
        monkeypatch.setattr(
            torch.Tensor,
            'addmm_',
            lambda self, a, b: in_place.append(a.shape[0] * a.shape[1] * b.shape[1]) or addmm_(self, a, b),
        )
        with FlopCounterMode(display=False) as counter:
            model(inputs)
    assert by_operator['addmm_'] == sum(in_place) > 0
    others = sum(by_operator[name] for name in ('mm', 'linear', 'matmul') if name in by_operator)
    assert 2 * others == counter.get_total_flops()


def test_get_flops_from_the_command_line(run):
    out = run('get_flops', ROOT / 'configs' / '_base_' / 'models' / 'signbert_pretrain.py', '--frames', 4)
    parts = {line.split()[0]: line.split()[1:] for line in out.splitlines()[2:]}
    assert set(parts) == {'embedder', 'backbone', 'decoder', 'all'}
    # three layers of width 512: attention 4 (512 * 512 + 512), feed-forward 2 * 512 * 2048 + 2560, two norms
    assert parts['backbone'][0] == f'{3 * (4 * (512 * 512 + 512) + 2 * 512 * 2048 + 2560 + 4 * 512):,}'


def test_get_flops_counts_models_that_read_views(run):
    config = ROOT / 'configs' / '_base_' / 'models' / 'st_consistency_recognizer.py'
    small = [f'model.encoder.{part}_embedder.gesture.joint_channels=(8,8,16)' for part in ('hand', 'trunk')]
    out = run(
        'get_flops',
        config,
        '--frames',
        4,
        '--cfg-options',
        'model.head.num_classes=10',
        "model.modalities=('joint',)",
        *small,
    )
    assert 'sign_49, one clip of 4 frames' in out and 'not counted' not in out
    parts = {
        line.split()[0]: [int(number.replace(',', '')) for number in line.split()[1:]]
        for line in out.splitlines()[2:]
    }
    assert set(parts) == {'encoders.joint', 'head', 'all'} and parts['head'] == [5130, 5120]
    # T' = 64 frames however many come in. Linear layers of both Transformers, temporal blocks and 1x1
    # convolutions alone, both hands:
    layers = 3 * (4 * 1024**2 + 2 * 1024 * 1536) + 3 * (4 * 512**2 + 2 * 512 * 1024)
    block = (5 + 3 + 3 + 2) * 512**2
    least = 64 * (layers + 3 * (2 * block + 512**2))
    assert least < parts['encoders.joint'][1] < 1.6 * least
