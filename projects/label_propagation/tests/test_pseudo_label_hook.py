"""Self-training in a run: what is labelled, what a checkpoint keeps, what is refused."""

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from projects.label_propagation.label_propagation import PseudoLabelHook
from signbert_mm.datasets import PoseDataset
from signbert_mm.datasets.pose_store_writer import PoseStoreWriter
from signbert_mm.engine.runner import ConfigError, load_config


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    """Three glosses of eight clips each; the arc of the right hand tells them apart."""
    folder = tmp_path_factory.mktemp('words') / 'store'
    random = np.random.RandomState(0)
    with PoseStoreWriter(folder, 'hands_42', ['-', 'fist', 'flat']) as writer:
        for clip in range(24):
            keypoints = np.zeros((12, 42, 3), dtype=np.float32)
            turn = np.arange(21) * 0.1 * (1 + clip % 3)
            keypoints[:, 21:, :2] = (
                200 + 50 * np.stack([np.cos(turn), np.sin(turn)], -1) + random.uniform(-1, 1, (12, 21, 2))
            )
            keypoints[:, 21:, 2] = 1
            writer.add(keypoints, clip % 3, 'train', f'v{clip}', width=640, height=480)
    return str(folder)


def runner(store, work_dir, name, **options):
    """Two epochs of four batches."""
    cfg = load_config(
        'projects/label_propagation/configs/signbert_d128_semi.py',
        {
            'model.head.num_classes': 3,
            'train_dataloader.batch_size': 3,
            'train_dataloader.dataset.per_class': 4,
            **{
                f'train_dataloader.dataset.{part}.{key}': value
                for part in ('labelled', 'unlabelled')
                for key, value in (('store', store), ('split', None))
            },
            'train_cfg.max_epochs': 2,
            'test_dataloader': None,
            'test_cfg': None,
            'test_evaluator': None,
            'default_hooks.checkpoint.interval': 1,
            'default_hooks.checkpoint.max_keep_ckpts': 2,
            'log_level': 'WARNING',
            'custom_hooks.0.k': 4,
            'custom_hooks.0.background': '-',
            **options,
        },
    )
    cfg.work_dir, cfg.experiment_name = str(work_dir), f'pseudo_labels_{name}'
    return Runner.from_cfg(cfg)


@pytest.fixture(scope='module')
def run(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    run = runner(store, folder, 'whole')
    run.train()
    return run, folder


def test_the_clips_get_labels(run, store):
    data = run[0].train_loop.dataloader.dataset
    given = data._given
    truth = PoseDataset(store, layout='hands_42').labels[data.unlabelled.clips]
    used = given >= 0
    assert used.sum() > 10 and (given[used] == truth[used]).mean() > 0.9
    assert len(run[0].train_loop.dataloader) == 4


def test_a_resumed_run_goes_on_with_the_same_labels_and_weights(run, store, tmp_path):
    kept = torch.load(run[1] / 'epoch_1.pth', weights_only=True)
    assert kept['pseudo_labels'].tolist() == run[0].train_loop.dataloader.dataset._given.tolist()
    again = runner(store, tmp_path, 'resumed', load_from=str(run[1] / 'epoch_1.pth'), resume=True)
    again.train()
    assert again.train_loop.dataloader.dataset._given.tolist() == kept['pseudo_labels'].tolist()
    assert torch.equal(
        again.train_loop.dataloader.dataset._members, run[0].train_loop.dataloader.dataset._members
    )
    one, other = (dict(part.model.state_dict()) for part in (run[0], again))
    assert all(
        torch.equal(torch.as_tensor(one[name]), torch.as_tensor(other[name]))
        for name in one
        if isinstance(one[name], torch.Tensor)
    )


def test_refuses(store, tmp_path):
    with pytest.raises(ConfigError, match="background='rest' is no gloss of"):
        runner(store, tmp_path, 'background', **{'custom_hooks.0.background': 'rest'}).train()
    with pytest.raises(ValueError, match='epochs must have 0 among them'):
        PseudoLabelHook(epochs=(1,))
    plain = dict(
        type='PoseDataset',
        store=store,
        layout='hands_42',
        pipeline=[dict(type='UniformTemporalSample', clip_len=10)],
        _delete_=True,
    )
    with pytest.raises(ConfigError, match='must be a PseudoLabelDataset, it is a PoseDataset'):
        runner(store, tmp_path, 'plain', **{'train_dataloader.dataset': plain}).train()
