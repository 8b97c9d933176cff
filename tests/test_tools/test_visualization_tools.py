"""tools/visualization: values by hand, and each tool once from the command line on a tiny store."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from source_files import load_file

from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.files.checkpoints import CheckpointError
from signbert_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = ['{root}/configs/_base_/models/signbert_pretrain.py',
    '{root}/configs/_base_/schedules/signbert_60e.py']
default_scope = 'signbert_mm'
model = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 4, 8), part_channels=(8, 16))),
    backbone=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=16),
    decoder=dict(in_channels=16),
)
train_dataloader = dict(
    batch_size=2, dataset=dict(type='PoseDataset', store='{store}', split='train',
        pipeline=[dict(type='RandomTemporalSample', clip_len=6)])
)
"""


def tool(name):
    return load_file(f'tools/visualization/{name}.py')


@pytest.fixture
def run(run_file):
    return run_file('tools/visualization')


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tiny')
    rng = np.random.RandomState(0)
    with PoseStoreWriter(str(folder / 'store'), 'sign_49', ['hello', 'water']) as writer:
        for index in range(3):
            clip = np.concatenate([100 + 200 * rng.rand(8, 49, 2), np.ones((8, 49, 1))], -1).astype(
                np.float32
            )
            clip[2:4, :21] = 0  # the left hand is lost for two frames
            clip = clip * (index < 2)  # the last clip shows nothing at all
            writer.add(clip, index % 2, 'train', f'v{index}', width=400, height=400)
    path = folder / 'tiny.py'
    path.write_text(CONFIG.format(root=ROOT, store=folder / 'store'))
    return path


def test_browse_dataset(run, config, tmp_path):
    run('browse_dataset', config, '--index', 0, 2, '--columns', 3, '--out', tmp_path)
    pictures = [cv2.imread(str(tmp_path / name)) for name in ('train_000000.png', 'train_000002.png')]
    assert all(picture is not None for picture in pictures) and pictures[0].std() > pictures[1].std()
    with pytest.raises(ValueError, match=r'clips 0\.\.2'):
        run('browse_dataset', config, '--index', 3, '--out', tmp_path)


def test_browse_names_what_changed():
    browse = tool('browse_dataset')
    before = dict(a=np.zeros(2), b=np.zeros(2))
    assert browse.what_changed(before, dict(a=np.zeros(2), b=np.ones(2), c=np.zeros(1))) == 'b, c'
    assert browse.what_changed(before, dict(before)) == 'nothing'


def test_reconstruct(run, config, tmp_path):
    cfg = Config.fromfile(config)
    init_default_scope('signbert_mm')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict(), meta={}), tmp_path / 'model.pth')
    run(
        'reconstruct',
        config,
        tmp_path / 'model.pth',
        '--number',
        3,
        '--columns',
        2,
        '--out',
        tmp_path / 'out',
    )
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        f'train_{index:06d}.png' for index in range(3)
    ]

    torch.save(dict(state_dict=dict(weight=torch.zeros(1))), tmp_path / 'other.pth')
    with pytest.raises(CheckpointError, match='does not fit the model'):
        run('reconstruct', config, tmp_path / 'other.pth', '--out', tmp_path / 'out')


def test_iterations_of_an_epoch():
    count = tool('vis_scheduler').iterations_per_epoch
    cfg = Config(dict(train_dataloader=dict(batch_size=4)))
    assert [count(cfg, clips, gpus) for clips, gpus in ((8, 1), (9, 1), (9, 2), (1, 1))] == [2, 3, 2, 1]
    cfg.train_dataloader.drop_last = True
    assert count(cfg, 9, 1) == 2


def test_schedule_by_hand():
    schedule = tool('vis_scheduler').schedule
    cfg = Config(
        dict(
            default_scope='signbert_mm',
            optim_wrapper=dict(type='AmpOptimWrapper', optimizer=dict(type='SGD', lr=1.0, momentum=0.9)),
            train_cfg=dict(max_epochs=4),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.5, by_epoch=False, begin=0, end=2),
                dict(type='MultiStepLR', by_epoch=True, milestones=[2, 3], gamma=0.1),
            ],
        )
    )
    values = schedule(cfg, 3)
    assert values['lr'] == pytest.approx([0.5, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]) and set(
        values['momentum']
    ) == {0.9}
    cfg.param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=4, convert_to_iter_based=True)]
    assert schedule(cfg, 3)['lr'] == pytest.approx(
        [0.5 * (1 + np.cos(np.pi * step / 12)) for step in range(12)]
    )
    cfg.param_scheduler, cfg.train_cfg = None, dict(by_epoch=False, max_iters=5)
    assert schedule(cfg, 3)['lr'] == [1.0] * 5


def test_vis_scheduler(run, config, tmp_path):
    out = run('vis_scheduler', config, '--out', tmp_path / 'schedule.png', '--param', 'lr', 'momentum')
    assert (
        '120 iterations, 2 an epoch of 3 clips; learning rate 0.001 at first, 0.001 at most, 1e-05 at last'
        in out
    )
    assert 'from iteration 40 (epoch 21): 0.0001' in out and (tmp_path / 'schedule.png').is_file()
