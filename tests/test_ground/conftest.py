"""The real models, narrow, on a small store made here; configs are files over ``configs/_base_``, as a user
writes them.
"""

import itertools

import numpy as np
import pytest

from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.layouts import get_layout

WIDTH = 16
CLASSES = 4
_names = itertools.count()

COMMON = """
_base_ = ['{configs}/models/{model}.py', '{configs}/schedules/signbert_60e.py',
    '{configs}/default_runtime.py']
custom_imports = dict(imports=['toy_parts'])
model = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, {width}))),
    backbone=dict(embed_dims={width}, num_layers=2, num_heads=2, feedforward_channels=24),
    {last},
)
_clips = dict(type='PoseDataset', store='{store}')
_loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='collate_poses'))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_clips, split='train', pipeline=[dict(type='RandomTemporalSample', clip_len=6)]),
)
test_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_clips, split='test', pipeline=[dict(type='CenterTemporalSample', clip_len=6)],
        test_mode=True),
)
val_dataloader = test_dataloader
test_evaluator = dict(type='{metric}')
val_evaluator = test_evaluator
train_cfg = dict(max_epochs=2)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=8),
    dict(type='MultiStepLR', by_epoch=True, milestones=[1], gamma=0.5),
]
default_hooks = dict(logger=dict(interval=3))
custom_hooks = [dict(type='KillHook'), dict(type='LossLogHook')]
log_level = 'WARNING'
"""
KINDS = dict(
    pretrain=dict(model='signbert_pretrain', last=f'decoder=dict(in_channels={WIDTH})', metric='PoseAUC'),
    recognise=dict(
        model='signbert_recognizer',
        last=f'head=dict(in_channels={WIDTH}, num_classes={CLASSES})',
        metric='SignAccuracy',
    ),
)


def clip(frames: int, label: int, seed: int, layout: str = 'sign_49', hands: bool = True) -> np.ndarray:
    """(T, V, 3): joints spread over the image, of a class's shape and moving; without hands only the trunk is
    there.
    """
    joints = get_layout(layout).num_joints
    shape = np.random.RandomState(label).uniform(-40, 40, (joints, 2))
    random = np.random.RandomState(1000 + seed)
    way = np.linspace(0, 60, frames)[:, None, None] + random.uniform(200, 300, (1, 1, 2))
    values = np.ones((frames, joints, 3), dtype=np.float32)
    values[:, :, :2] = shape + way + random.normal(0, 2, (frames, joints, 2))
    if not hands:
        values[:, :42] = 0
    return values


@pytest.fixture
def make_store(tmp_path):
    """``make_store(train=24, test=7, lengths=None, no_hand=(), name='store')``: clips of CLASSES glosses;
    returns the folder.
    """

    def make(train=24, test=7, lengths=None, no_hand=(), name='store', glosses=CLASSES, layout='sign_49'):
        with PoseStoreWriter(tmp_path / name, layout, [f'gloss{i}' for i in range(glosses)]) as writer:
            for index in range(train + test):
                label = index % glosses
                length = 4 + index % 7 if lengths is None else lengths[index % len(lengths)]
                data = clip(length, label, index, layout, hands=index not in no_hand)
                writer.add(
                    data,
                    label,
                    'train' if index < train else 'test',
                    f'v{index}',
                    f's{index % 3}',
                    width=640,
                    height=480,
                )
            writer.close()
        return tmp_path / name

    return make


@pytest.fixture
def make_config(root, tmp_path):
    """``make_config('pretrain' or 'recognise', store, text)``: a config file of the narrow model; ``text`` is
    added at its end.
    """

    def make(kind, store, text=''):
        path = tmp_path / f'ground{next(_names)}.py'
        path.write_text(
            COMMON.format(configs=root / 'configs' / '_base_', store=store, width=WIDTH, **KINDS[kind]) + text
        )
        return path

    return make


@pytest.fixture
def expect(run_tool):
    """``expect(message, 'train.py', *arguments)``: the tool ends in one message that matches."""
    import re

    def check(message, *arguments):
        with pytest.raises(SystemExit) as error:
            run_tool(*arguments)
        text = str(error.value)
        assert re.search(message, text, re.DOTALL), text
        return text

    return check
