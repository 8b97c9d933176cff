"""benchmarks/peers.py runs and says what it leaves out; how it makes ratios, and what it gives the peers."""

import importlib
import json
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger


@pytest.fixture
def benchmark(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / 'benchmarks'))
    logger = MMLogger.get_current_instance()
    level = logger.level
    yield importlib.import_module('peers')
    logger.setLevel(level)


@pytest.fixture
def report(benchmark):
    return benchmark.Report(2, {}, {})


@pytest.fixture
def checkouts():
    """Checkouts of manopth and SPOTER side by side."""
    folder = Path(os.environ.get('SIGNBERT_MM_PEERS', 'absent'))
    if not folder.is_dir():
        pytest.skip('no checkouts of manopth and spoter in a folder named by SIGNBERT_MM_PEERS')
    yield ['--manopth', str(folder / 'manopth'), '--spoter', str(folder / 'spoter')]
    for name in [name for name in sys.modules if name.split('.')[0] in ('mano', 'manopth')]:
        del sys.modules[name]


def run(benchmark, tmp_path, *arguments):
    benchmark.main(['--tiny', '--out', str(tmp_path / 'peers.json'), *arguments])
    return json.loads((tmp_path / 'peers.json').read_text())


def test_without_checkouts(benchmark, tmp_path, capsys):
    content = run(benchmark, tmp_path)
    shown = capsys.readouterr().out
    for name in ('manopth', 'SPOTER'):
        assert f'left out: {name} (no --{name.lower()} DIR)' in shown
    assert (
        content['about']['manopth'] == content['about']['spoter'] == 'absent'
        and content['about']['threads'] == 1
    )
    assert {'SignBERT, full width', 'SignBERT, narrow'} <= set(content['models'])
    if not any('mmaction2' in what for what in content['left_out']):
        assert {row['part'] for row in content['rows']} >= {'data', 'train'}
        assert all(apart < 1e-6 for what, apart in content['agreement'].items() if what.startswith('data'))
        ours, theirs = (
            content['models'][name] for name in ('ST-GCN, MMActionRecognizer', 'mmaction2 ST-GCN')
        )
        assert all(ours[count] == theirs[count] > 0 for count in ('parameters', 'gflop_step_clip'))


def test_with_checkouts(benchmark, tmp_path, checkouts):
    content = run(benchmark, tmp_path, '--parts', 'hand', 'train', *checkouts)
    assert {'manopth', 'SPOTER', 'SPOTER, batched here'} <= {row['peer'] for row in content['rows']}
    assert all(apart < 1e-3 for apart in content['agreement'].values())  # 1 micrometre


def test_ratios_are_taken_within_a_round(report):
    report.add('part', 'case', dict(own=[1.0, 2.0, 4.0], peer=[3.0, 4.0, 20.0]), ['own'])
    assert report.content['rows'] == [
        dict(part='part', case='case', ours='own', peer='peer', ratio=3.0, low=2.0, high=5.0)
    ]


def test_turns_rotate(benchmark):
    order = []
    calls = {name: lambda name=name: order.append(name) for name in 'abc'}
    times = importlib.import_module('peer_parts.report').interleaved(calls, repeats=2, least=1e-7)
    assert ''.join(order) == 'abc' + 'bca' + 'cab' and all(len(taken) == 2 for taken in times.values())


def test_a_short_call_is_repeated_in_its_turn(benchmark):
    order = []
    times = importlib.import_module('peer_parts.report').interleaved(
        {'a': lambda: order.append('a')}, repeats=1, least=1e-3
    )
    assert len(order) > 2 and len(times['a']) == 1


def test_what_is_no_checkout_is_refused(benchmark, tmp_path, capsys):
    with pytest.raises(SystemExit):
        benchmark.main(['--spoter', str(tmp_path)])
    assert f'--spoter {tmp_path}: no spoter/spoter_model.py there' in capsys.readouterr().err


def test_products_in_place_are_counted(benchmark):
    into, a, b = torch.zeros(2, 4), torch.ones(2, 3), torch.ones(3, 4)
    with benchmark.training.flop_counter() as counter:
        into.addmm_(a, b)
        torch.mm(a, b)
    assert counter.get_total_flops() == 2 * (2 * 2 * 3 * 4)


def test_points_for_spoter(benchmark):
    layout = benchmark.training.get_layout('coco_wholebody_133')
    places = torch.arange(133.0)
    inputs = dict(
        keypoints=torch.stack((places, places), -1).view(1, 1, 133, 2),
        image_size=torch.tensor([[1000.0, 100.0]]),
    )
    points = benchmark.training.spoter_clips(dict(inputs=inputs))
    assert points.shape == (1, 1, 54, 2)
    torch.testing.assert_close(points[0, 0, 0], torch.tensor([-0.5, -0.5]))  # the nose is joint 0
    # the neck: between joints 5 and 6
    torch.testing.assert_close(points[0, 0, 1], torch.tensor([-0.4945, -0.445]))
    torch.testing.assert_close(
        points[0, 0, 12:, 0] * 1000 + 500, places[[*layout.parts['left_hand'], *layout.parts['right_hand']]]
    )


def test_arrays_for_manopth(benchmark):
    asset = benchmark.hand.load_hand_asset('free')
    given = benchmark.hand.mano_dict(asset)
    assert isinstance(given['shapedirs'], types.SimpleNamespace) and given['shapedirs'].r.shape == (
        778,
        3,
        10,
    )
    np.testing.assert_array_equal(given['posedirs'].r, asset.pose_basis)
    np.testing.assert_array_equal(given['kintree_table'][0], asset.parents)
    assert given['J_regressor'].toarray().shape == (16, 778) and len(given['betas'].r) == 10
