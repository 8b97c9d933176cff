"""Sharded training on two gloo processes: equal to one process, resumable, and its checkpoints fit the whole
model.
"""

import json

import pytest
from same_training import assert_same_training
from test_ranks import NO_DROPOUT, losses, two_ranks  # noqa: F401  (a fixture)

from signbert_mm.engine.runner import SignFSDPStrategy, build_runner, load_config, prepare_launch
from signbert_mm.engine.runner.fsdp_strategy import wrap_layers
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.registry import MODELS

SGD = (
    "optim_wrapper = dict(clip_grad=dict(max_norm=0.05), optimizer=dict(_delete_=True, type='SGD', "
    'lr=0.1, '
    'momentum=0.9))\n'
)
BY_ITER = 'default_hooks.update(checkpoint=dict(by_epoch=False, interval=2, max_keep_ckpts=-1))\n'
FSDP = """
runner_type = 'FlexibleRunner'
strategy = dict(type='FSDPStrategy', model_wrapper=dict(auto_wrap_policy=dict(type='wrap_layers',
    classes=['TransformerEncoderLayer'])))
"""


def test_two_shards(run_tool, two_ranks, tmp_path, make_store, make_config):  # noqa: F811
    store = make_store(train=24, test=7, no_hand=(3, 8, 26))
    text = NO_DROPOUT + "model['head']['dropout'] = 0.0\n" + SGD + BY_ITER
    longer = ['train_cfg.max_epochs=3', 'train_dataloader.batch_size=8']
    run_tool(
        'train.py',
        make_config('recognise', store, text),
        '--no-validate',
        '--work-dir',
        'one',
        '--cfg-options',
        *longer,
    )
    config = make_config('recognise', store, text + FSDP)
    two_ranks('dist_train.sh', config, 2, '--work-dir', 'two')
    expected = losses(tmp_path / 'one')
    assert len(expected) == 9 and losses(tmp_path / 'two') == pytest.approx(expected[:6], rel=1e-5)
    one, two = (load_checkpoint_file(tmp_path / name / 'iter_6.pth') for name in ('one', 'two'))
    assert list(one['state_dict']) == list(two['state_dict'])
    for key, value in one['state_dict'].items():
        if value.is_floating_point():
            assert (
                value.shape == two['state_dict'][key].shape
                and (value - two['state_dict'][key]).abs().max() < 1e-5
            ), key
    assert two['meta']['glosses'] == one['meta']['glosses'] and two['meta']['progress']['world_size'] == 2

    # in the middle of the second epoch
    two_ranks(
        'dist_train.sh', config, 2, '--no-validate', '--work-dir', 'resumed', '--resume', 'two/iter_4.pth'
    )
    assert_same_training(tmp_path / 'two' / 'iter_6.pth', tmp_path / 'resumed' / 'iter_6.pth')

    two_ranks(
        'dist_train.sh',
        config,
        1,
        '--no-validate',
        '--work-dir',
        'single',
        '--resume',
        'two/iter_6.pth',
        '--cfg-options',
        *longer,
    )
    # another number of processes, from the end of an epoch
    assert losses(tmp_path / 'single') == pytest.approx(expected[6:], rel=1e-4)

    # one process: no shards
    run_tool('test.py', config, 'two/iter_6.pth', '--work-dir', 't', '--out', 'whole.json')
    assert json.loads((tmp_path / 'whole.json').read_text())['clips'] == 7


def test_one_process_without_a_launcher_is_told(expect, make_store, make_config):
    config = make_config('pretrain', make_store(train=4, test=1), FSDP)
    expect(
        r'FSDPStrategy needs processes: start with tools/dist_train\.sh', 'train.py', config, '--no-validate'
    )


def test_other_state_dicts_are_refused():
    with pytest.raises(ValueError, match="state_dict_cfg is 'local'; use 'full'"):
        SignFSDPStrategy(state_dict_cfg='local')


def test_mmengines_names_are_ours(make_store, make_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "runner_type = 'FlexibleRunner'\ncompile = dict(backend='eager')\nexperiment_name = 'flexible'\n"
    cfg = load_config(str(make_config('pretrain', make_store(train=4, test=1), text)))
    prepare_launch(cfg, 'none')
    runner = build_runner(cfg)
    assert type(runner).__name__ == 'SignFlexibleRunner' and runner._compile == dict(backend='eager')
    assert type(build_runner(dict(cfg, experiment_name='plain'), training=False)).__name__ == 'Runner'


def test_the_large_config(root):
    """Ten times the default's parameters, most of them in layers that are gathered one at a time."""
    configs = root / 'configs' / 'signbert'
    large, default = (
        load_config(str(configs / f'signbert_{name}_pretrain-synthetic.py'))
        for name in ('d1024-n8_b64-60e_fsdp', 'd512-n3_b64-60e')
    )
    policy = large.strategy.model_wrapper.auto_wrap_policy
    models = [MODELS.build(cfg.model) for cfg in (large, default)]
    sizes = [sum(parameter.numel() for parameter in model.parameters()) for model in models]
    layers = [module for module in models[0].modules() if wrap_layers(module, False, 0, policy.classes)]
    assert 9 < sizes[0] / sizes[1] < 11 and len(layers) == 8
    assert sum(parameter.numel() for layer in layers for parameter in layer.parameters()) > 0.9 * sizes[0]
