"""benchmarks/counts.py, profile_step.py and gpu.py run; what they count, by hand."""

import importlib
import json

import pytest
import torch
from torch import nn


@pytest.fixture
def load(root, monkeypatch):
    """``load(name)``: a benchmark as a module, beside those that it imports."""
    monkeypatch.syspath_prepend(str(root / 'benchmarks'))
    return importlib.import_module


class Little(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedder, self.decoder = nn.Linear(3, 4, bias=False), nn.Linear(4, 5, bias=False)

    def forward(self, x):
        return self.decoder(self.embedder(x).relu())


def test_counts_by_hand(load):
    counts = load('counts')
    model, x = Little(), torch.rand(7, 3)
    with counts.Counter(model) as counter:
        model(x).sum().backward()
    gcn, decoder = counter.counts['GCN'], counter.counts['decoder, hand model']
    assert gcn['forward'] == 2 * 7 * 3 * 4 and gcn['backward'] == 2 * 7 * 3 * 4  # the input needs no gradient
    assert decoder['forward'] == 2 * 7 * 4 * 5 and decoder['backward'] == 2 * 2 * 7 * 4 * 5
    assert gcn['products'] == 4 * 2 * (7 * 3 + 3 * 4 + 7 * 4)
    # a product each; no transpose counts
    assert gcn['all'] == gcn['products'] and gcn['operators'] == 2 and decoder['operators'] == 3
    # the ReLU, both ways
    assert counter.counts[counts.REST]['forward'] == 0 and counter.counts[counts.REST]['all'] >= 4 * 2 * 7 * 4
    assert counts.parameters_of(model) == {'GCN': 12, 'decoder, hand model': 20}
    assert counts.floor_of(
        dict(a=dict(forward=6, backward=4, products=8), b=dict(forward=0, backward=0, products=8)), 5, 2
    ) == dict(a=4, b=4)


def test_in_place_products_and_attention_count(load):
    counts = load('counts')
    model, q = nn.Identity(), torch.rand(2, 3, 4, 8)
    with counts.Counter(model) as counter:
        torch.zeros(5, 6).addmm_(torch.rand(5, 7), torch.rand(7, 6))
        torch.nn.functional.scaled_dot_product_attention(q, q, q)
        torch.rand(4, 4)[:2].t()
    assert counter.counts[counts.REST]['forward'] == 2 * 5 * 7 * 6 + 2 * 2 * 3 * 4 * 4 * (8 + 8)


@pytest.mark.parametrize('name', ['signbert-pretrain', 'st-pretrain'])
def test_counts_of_a_method(load, name):
    counts, gpu = load('counts'), load('gpu')
    found = counts.per_clip(gpu.build(name, torch.device('cpu'), True), 6, torch.float32, 10**9)
    assert set(found) >= {'GCN', 'transformer', 'losses', 'optimizer', 'preprocessing'}
    assert found['GCN']['backward'] > found['GCN']['forward'] / 3 > 0
    assert (
        found['optimizer']['operators'] < 10
        and found['preprocessing']['operators'] == int(found['preprocessing']['operators']) > 50
    )
    assert ('key encoders' in found) == (name == 'st-pretrain')
    if name == 'st-pretrain':
        keys, queries = (
            found['key encoders']['forward'],
            sum(found[part]['forward'] for part in ('GCN', 'temporal blocks', 'transformer', 'heads')),
        )
        assert keys == pytest.approx(queries, rel=0.02) and found['key encoders']['backward'] == 0


def test_profile(load):
    profile, gpu, steps = load('profile_step'), load('gpu'), load('train_step')
    model = gpu.build('signbert-finetune', torch.device('cpu'), True)
    step = steps.Step(model, steps.make_batch(model, 2, 4, torch.device('cpu')), torch.float32, fused=True)
    step.run()
    times = profile.run_profile(step, False)
    assert {profile.kind_of(name) for name in times} >= {'matrix products', 'norms', 'optimizer'}
    assert (
        profile.kind_of('aten::addmm_') == 'matrix products' and profile.kind_of('aten::mul') == profile.OTHER
    )


def test_gpu_script_on_the_cpu(load, tmp_path, monkeypatch):
    gpu, out = load('gpu'), tmp_path / 'gpu.json'
    monkeypatch.setattr(
        gpu, 'HOW', {**gpu.HOW, 'compile': dict(backend='eager'), 'graphs': dict(backend='no such backend')}
    )
    common = ['--device', 'cpu', '--tiny', '--out', str(out)]
    assert gpu.main([*common, '--only', 'signbert-pretrain']) == 1
    content = json.loads(out.read_text())
    steps = {
        name: part
        for name, part in content['parts'].items()
        if name.startswith('step/') and 'graphs' not in name
    }
    assert len(steps) == 5 and all(
        part['clips_per_s'] > 0 and 0 < part['preprocess_share'] < 1 for part in steps.values()
    )
    # recorded, and the rest goes on
    assert 'no such backend' in content['parts']['step/signbert-pretrain/bfloat16/graphs/2']['error']
    assert 'on a GPU only' in content['parts']['waits/signbert-pretrain']['error'] and not content['skipped']
    assert gpu.main([*common, '--only', '/st-finetune/bfloat16/eager']) == 0
    gpu.main([*common, '--only', 'hand/joints', '--minutes', '-1'])
    assert json.loads(out.read_text())['skipped'] == ['hand/joints', 'hand/joints compiled']
    with pytest.raises(SystemExit):
        gpu.main([*common, '--only', 'nothing'])
