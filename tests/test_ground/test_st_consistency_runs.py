"""ST-Consistency's pre-trainer in real runs over a tiny encoder: ranks, kills, kNN along the way."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from same_training import assert_same_training, equal
from test_ranks import assert_same, two_ranks  # noqa: F401

from signbert_mm.engine import KNNHook
from signbert_mm.files.checkpoints import load_checkpoint_file

CONFIG = """
_base_ = ['{configs}/schedules/signbert_60e.py', '{configs}/default_runtime.py']
custom_imports = dict(imports=['toy_parts', 'toy_views'])
model = dict(
    type='STConsistency',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=[dict(type='ToyViews')],
        test_pipeline=[dict(type='ToyViews', count=1)]),
    encoder=dict(type='ToyHandTrunkEncoder', channels=12, norm={norm}, dropout={dropout}),
    projector=dict(type='ProjectionHead', in_channels=12, out_channels=8),
    bank=dict(size=19),
    momentum=0.9,
    loss_contrast=dict(type='InfoNCELoss'),
    loss_consistency=dict(type='ConsistencyLoss'),
    loss_transfer=dict(type='KnowledgeTransferLoss', num_anchors=19),
)
_clips = dict(type='PoseDataset', store='{store}', pipeline=[dict(type='UniformTemporalSample', clip_len=6)])
_loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='collate_poses'))
_in_order = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))
_query = dict(_in_order, dataset=dict(_clips, split='test', test_mode=True))
train_dataloader = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=True), dataset=dict(_clips,
    split='train'))
custom_hooks = [
    dict(type='KillHook'),
    dict(type='LossLogHook'),
    dict(type='KNNHook', gallery=dict(_in_order, dataset=dict(_clips, split='train')), query=_query,
        interval=2, k=3),
]
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=0.05, momentum=0.9))
train_cfg = dict(max_epochs={epochs})
val_cfg = None
test_cfg = None
log_level = 'WARNING'
"""


@pytest.fixture
def config(root, tmp_path, make_store):
    """``config(norm=.., dropout=.., epochs=..)``: a config over a store with clips that show no hand, or are
    short.
    """

    def make(norm=False, dropout=0.0, epochs=2, train=24):
        store = make_store(train=train, test=7, no_hand=(3, 8))
        path = tmp_path / 'st_consistency_ground.py'
        path.write_text(
            CONFIG.format(
                configs=root / 'configs' / '_base_', store=store, norm=norm, dropout=dropout, epochs=epochs
            )
        )
        return path

    return make


def knn_lines(folder):
    logs = sorted(folder.glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return {line['step']: line['knn/top1'] for line in lines if 'knn/top1' in line}


def test_two_ranks(run_tool, two_ranks, tmp_path, config):  # noqa: F811
    """The same losses, weights and bank as one process with the whole batch; 24 clips go through a ring of
    19.
    """
    path = config()
    run_tool(
        'train.py',
        path,
        '--no-validate',
        '--work-dir',
        'one',
        '--cfg-options',
        'train_dataloader.batch_size=8',
    )
    two_ranks('dist_train.sh', path, 2, '--no-validate', '--work-dir', 'two')
    assert_same(tmp_path, 6)
    bank = load_checkpoint_file(tmp_path / 'two' / 'epoch_2.pth')['state_dict']
    assert int(bank['bank.pointer']) == 48 % 19 and bank['bank.keys'].shape == (4, 19, 8)
    assert knn_lines(tmp_path / 'one').keys() == {0, 2} and knn_lines(tmp_path / 'two') == knn_lines(
        tmp_path / 'one'
    )


def test_accumulation(run_tool, tmp_path, config):
    """Four batches of two are one of eight: losses see one bank and the keys move once a step; and a run
    resumed after a step is the whole one.
    """
    path = config(epochs=3)
    options = ['--no-validate', '--cfg-options', 'default_hooks.checkpoint.max_keep_ckpts=9']
    run_tool('train.py', path, '--work-dir', 'large', *options, 'train_dataloader.batch_size=8')
    options += ['train_dataloader.batch_size=2', 'optim_wrapper.accumulative_counts=4']
    run_tool('train.py', path, '--work-dir', 'small', *options)
    first, large, small = (
        load_checkpoint_file(tmp_path / name)['state_dict']
        for name in ('large/epoch_1.pth', 'large/epoch_3.pth', 'small/epoch_3.pth')
    )
    assert large.keys() == small.keys()
    for name, value in large.items():
        torch.testing.assert_close(small[name], value, rtol=1e-4, atol=1e-5, msg=name)
    weight = 'key_encoders.joint.hand.weight'
    assert (large[weight] - first[weight]).abs().max() > 1e-3
    os.makedirs(tmp_path / 'again')
    os.rename(tmp_path / 'small' / 'epoch_2.pth', tmp_path / 'again' / 'epoch_2.pth')
    run_tool('train.py', path, '--work-dir', 'again', '--resume', 'again/epoch_2.pth', *options)
    assert_same_training(tmp_path / 'small' / 'epoch_3.pth', tmp_path / 'again' / 'epoch_3.pth')


def test_killed_and_resumed(root, tmp_path, config):
    """Killed in the middle of an epoch, where the ring is in the middle of a turn: bank, pointer, key
    encoders and all else end bit for bit.
    """
    path = config(norm=True, dropout=0.3, epochs=4, train=22)
    environment = dict(
        os.environ, PYTHONPATH=f'{root}{os.pathsep}{root / "tests" / "toys"}', OMP_NUM_THREADS='1'
    )
    command = [sys.executable, str(root / 'tools' / 'train.py'), str(path)]
    options = [
        '--cfg-options',
        'default_hooks.checkpoint.by_epoch=False',
        'default_hooks.checkpoint.interval=2',
    ]

    def train(folder, *more, at=0):
        run = [*command, '--work-dir', str(tmp_path / folder), *more, *options]
        return subprocess.run(
            run, env=dict(environment, TOY_KILL_AT=str(at)), capture_output=True, text=True, timeout=600
        )

    whole, killed, resumed = train('whole'), train('killed', at=9), train('killed', '--resume')
    assert whole.returncode == 0, whole.stderr
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert resumed.returncode == 0, resumed.stderr
    one, two = (tmp_path / name / 'iter_24.pth' for name in ('whole', 'killed'))
    assert_same_training(one, two)
    state = load_checkpoint_file(two)['state_dict']
    assert state['bank.keys'].any() and int(state['bank.pointer']) == 88 % 19
    key, query = (state[f'{side}.joint.hand.weight'] for side in ('key_encoders', 'encoders'))
    assert key.shape == query.shape and not torch.equal(key, query)
    assert equal(knn_lines(tmp_path / 'whole'), knn_lines(tmp_path / 'killed'))


def test_knn_tool(run_tool, tmp_path, make_store, make_config, expect, capsys):
    """A pre-training checkpoint of SignBERT in its own config and in the recogniser's: one encoder, the same
    unmasked clips, the same figures.
    """
    store = make_store(train=24, test=7, no_hand=(3,))
    pretrain, recognise = (make_config(kind, store) for kind in ('pretrain', 'recognise'))
    run_tool(
        'train.py', pretrain, '--no-validate', '--work-dir', 'p', '--cfg-options', 'train_cfg.max_epochs=1'
    )
    for name, config in (('p', pretrain), ('r', recognise)):
        run_tool('analysis_tools/knn.py', config, 'p/epoch_1.pth', '--k', 3, '--out', f'{name}.json')
    figures = [json.loads((tmp_path / f'{name}.json').read_text()) for name in ('p', 'r')]
    assert (
        figures[0] == figures[1]
        and set(figures[0]) == {'top1', 'top5', 'per_class_top1'}
        and 0 <= figures[0]['top1'] <= 100
    )
    assert '7 clips of test, 3 neighbours among 24 of train, 4 glosses' in capsys.readouterr().out
    expect(
        'split is test: --gallery test must name other splits',
        'analysis_tools/knn.py',
        recognise,
        'p/epoch_1.pth',
        '--gallery',
        'test',
    )
    expect('k must be from 1 to the 24 clips', 'analysis_tools/knn.py', recognise, 'none', '--k', 25)
    expect(
        'has no test_dataloader',
        'analysis_tools/knn.py',
        recognise,
        'none',
        '--cfg-options',
        'test_dataloader=None',
    )


def test_a_knn_hook_of_no_epochs():
    with pytest.raises(ValueError, match='KNNHook: interval must be at least 1, got 0'):
        KNNHook({}, {}, interval=0)
