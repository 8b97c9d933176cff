"""The configs of STB and HANDS17, narrow, on small folders in the official format: train, then PoseAUC."""

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from test_hands17 import make_hands17

from signbert_mm.engine.runner import load_config

NARROW = dict(
    embedder=dict(gesture=dict(joint_channels=(8, 8, 16), part_channels=(16, 32))),
    backbone=dict(embed_dims=32, num_layers=1, num_heads=2, feedforward_channels=32),
    decoder=dict(in_channels=32),
)


def run(root, name, tmp_path):
    cfg = Config.fromfile(root / 'configs' / 'signbert' / f'signbert_d512-n3_b64-60e_{name}.py')
    cfg.merge_from_dict(
        dict(
            model=NARROW,
            log_level='WARNING',
            work_dir=str(tmp_path / 'work'),
            experiment_name=f'hand_configs_{name}',
        )
    )
    cfg.train_cfg.max_epochs = 1
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False, pin_memory=False, batch_size=8)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return cfg, runner, runner.test()


def test_stb(root, run_converter, tmp_path):
    pytest.importorskip('scipy.io', reason='.mat files are read with scipy')
    from test_stb import make_stb

    make_stb(tmp_path / 'STB')
    run_converter('stb_to_store.py', 'STB', 'data/stb')
    cfg, runner, metrics = run(root, 'stb', tmp_path)
    # 20 annotated joints of one hand; every token is chosen, so 'chosen' says the same
    assert metrics['joints'] == 2 * 4 * 20
    assert metrics['output/pck20'] == metrics['chosen/output/pck20'] and 0 <= metrics['output/auc'] <= 100
    assert 70 < metrics['input/pck20'] < 100
    batch = runner.test_dataloader.dataset.__getitems__([0, 1])['inputs']
    assert batch['keypoints'].shape == (2, 1, 49, 2) and (batch['scores'][:, :, 1:21] == 1).all()
    assert (batch['scores'][:, :, 0] == 0).all() and (batch['scores'][:, :, 21:] == 0).all()


def test_hands17(root, run_converter, tmp_path):
    make_hands17(tmp_path / 'HANDS17')
    run_converter('hands17_to_store.py', 'HANDS17', 'data/hands17')
    _, runner, metrics = run(root, 'hands17', tmp_path)
    assert metrics['joints'] == (3 + 3 + 14) * 21  # every test frame counts
    assert metrics['input/pck20'] < 100 and metrics['chosen/input/pck20'] < metrics['input/pck20']
    assert (runner.test_dataloader.dataset.__getitems__([0])['inputs']['scores'][0, :3, 21:42] == 1).all()


def test_the_subsets_of_nmfs_csl(root):
    cfg = load_config(str(root / 'configs' / 'signbert' / 'signbert_d512-n3_b64-60e_nmfs_csl.py'))
    subsets = {name: list(classes) for name, classes in cfg.test_evaluator.subsets.items()}
    assert subsets == dict(
        confusing=list(range(610)), normal=list(range(610, 1067))
    ) and cfg.test_evaluator.topk == (1, 2, 5)


@pytest.mark.parametrize('name', ['nmfs_csl', 'slr500', 'stb', 'hands17'])
def test_the_command_that_a_config_names_is_there(root, name):
    cfg = load_config(str(root / 'configs' / 'signbert' / f'signbert_d512-n3_b64-60e_{name}.py'))
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        assert (
            loader.dataset.prepare.split()[1] == f'tools/dataset_converters/{name}_to_store.py'
            and loader.dataset.store == f'data/{name}'
        )
    assert (root / loader.dataset.prepare.split()[1]).is_file()
