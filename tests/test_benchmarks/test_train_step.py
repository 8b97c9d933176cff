"""benchmarks/train_step.py runs and gives its keys; what it counts."""

import json

import pytest
from source_files import load_file

TINY = """
_base_ = [{base!r}]
model = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16))),
    backbone=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=8),
    decoder=dict(in_channels=16),
)
"""


@pytest.fixture
def benchmark():
    return load_file('benchmarks/train_step.py')


@pytest.fixture
def tiny(benchmark, tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text(TINY.format(base=str(benchmark.DEFAULT_CONFIG)))
    return str(path)


SMALL = ['--batch', '2', '--frames', '4', '--preprocess-batch', '3', '--repeats', '1', '--warmup', '1']


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_keys(benchmark, tiny, tmp_path, capsys, dtype):
    out = tmp_path / 'figures.json'
    benchmark.main(['--config', tiny, '--dtype', dtype, *SMALL, '--out', str(out)])
    table, figures = capsys.readouterr().out, json.loads(out.read_text())
    for name in ('clips_per_s', 'preprocess_share', 'ratio_to_bare'):
        assert figures[name] > 0 and name in table
    assert figures['about']['dtype'] == dtype and figures['about']['batch'] == 2
    assert set(figures['parts_ms']) >= {
        'preprocess',
        'forward',
        'backward',
        'optimizer',
        'bare encoder',
        'bare products',
        'bare optimizer',
    }


def test_what_is_counted(benchmark):
    """The default model, by hand: products of 69 + 4 joint nodes and 13 part nodes, three encoder layers over
    64 tokens.
    """
    model = benchmark.MODELS.build(benchmark.load_config(str(benchmark.DEFAULT_CONFIG)).model)
    bare = benchmark.Bare(model, 1, 32, benchmark.torch.device('cpu'), benchmark.torch.float32, False)
    joints, parts = 21 + 15 + 1 + 15 + 1 + 20, 6 + 1 + 1 + 5
    products = 64 * (joints * (2 * 128 + 128 * 128 + 128 * 256) + parts * (256 * 512 + 512 * 512))
    encoder = 3 * 64 * (4 * 512 * 512 + 2 * 512 * 2048 + 2 * 64 * 512)
    assert bare.gflop_per_clip == pytest.approx(2e-9 * (products + encoder), rel=1e-12)
    assert sum(parameter.numel() for parameter in bare.parameters) == sum(
        parameter.numel() for parameter in model.parameters()
    )


def test_another_model_is_refused(benchmark, tmp_path, capsys):
    path = tmp_path / 'linear.py'
    path.write_text("model = dict(type='ReconstructionLoss')")
    with pytest.raises(SystemExit):
        benchmark.main(['--config', str(path), *SMALL])
    assert (
        'its model is a ReconstructionLoss, but this benchmark is about SignBERT' in capsys.readouterr().err
    )
