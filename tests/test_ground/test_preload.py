"""Training from clips that are held whole equals training from the memory map, bit for bit, also when it
stops in the middle of an epoch.
"""

import shutil

import pytest
from mmengine.config import Config
from same_training import assert_same_training

from signbert_mm.engine.runner import prepare_launch

BY_ITER = [
    'default_hooks.checkpoint.by_epoch=False',
    'default_hooks.checkpoint.interval=2',
    'default_hooks.checkpoint.max_keep_ckpts=-1',
]


@pytest.mark.parametrize('kind', ['device', 'memory'])
def test_whole_and_resumed(run_tool, tmp_path, make_store, make_config, kind):
    # 6 batches, the last one short
    config = make_config('pretrain', make_store(train=22, test=1, no_hand=(3,)))
    run_tool('train.py', config, '--no-validate', '--work-dir', 'plain', '--cfg-options', *BY_ITER)
    held = [*BY_ITER, f'train_dataloader.dataset.preload={kind}']
    run_tool('train.py', config, '--no-validate', '--work-dir', 'held', '--cfg-options', *held)
    assert_same_training(tmp_path / 'plain' / 'iter_12.pth', tmp_path / 'held' / 'iter_12.pth')
    (tmp_path / 'resumed').mkdir()
    # taken in the middle of the first epoch, by the other path
    shutil.copy(tmp_path / 'plain' / 'iter_4.pth', tmp_path / 'resumed')
    run_tool(
        'train.py',
        config,
        '--no-validate',
        '--work-dir',
        'resumed',
        '--resume',
        'resumed/iter_4.pth',
        '--cfg-options',
        *held,
    )
    assert_same_training(tmp_path / 'plain' / 'iter_12.pth', tmp_path / 'resumed' / 'iter_12.pth')


def test_the_loader_gets_no_workers():
    clips = dict(type='PoseDataset', store='x')
    loader = dict(num_workers=4, persistent_workers=True, pin_memory=True, prefetch_factor=3)
    cfg = Config(
        dict(
            train_dataloader=dict(
                loader,
                dataset=dict(type='ConcatPoseDataset', datasets=[clips, dict(clips, preload='device')]),
            ),
            val_dataloader=dict(loader, dataset=dict(clips, preload='memory')),
            test_dataloader=None,
            env_cfg=dict(cap_workers=False),
        )
    )
    prepare_launch(cfg, 'none')
    assert {name: cfg.train_dataloader.get(name) for name in loader} == dict(
        num_workers=0, persistent_workers=False, pin_memory=False, prefetch_factor=None
    )
    assert {name: cfg.val_dataloader[name] for name in loader} == loader
