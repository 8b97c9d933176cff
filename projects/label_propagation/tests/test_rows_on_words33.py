"""The rows on words33: what learns from the pool, and what of the pool is read."""

import shutil

import pytest
import torch

from projects.label_propagation.label_propagation import PropagationTestLoop
from signbert_mm.datasets import PoseDataset
from signbert_mm.datasets.pose_store_writer import PoseStoreWriter
from signbert_mm.errors import ConfigError
from signbert_mm.experiments import load_setting, load_table, make_plan

TABLE = 'projects/label_propagation/configs/words33.py'


def plan_of(setting, seeds=(3,)):
    table = load_table(TABLE)
    return make_plan(table, load_setting(table, setting), seeds)


@pytest.mark.parametrize(
    ('setting', 'pool', 'tested'), [('words33', ['train', 'val'], 'test'), ('words33_dev', ['train'], 'val')]
)
def test_self_training_sees_the_pool_and_nothing_else(setting, pool, tested):
    plan = plan_of(setting)
    for row, background in ((3, None), (4, '-')):
        for shots in (1, 2, 5, 10):
            cfg = plan.cells[row, f'{shots}-shot P-I'][0].run.cfg
            clips = cfg.train_dataloader.dataset
            assert clips.labelled.split == clips.unlabelled.split == pool
            assert cfg.test_dataloader.dataset.split == tested
            assert clips.labelled.few_shot == dict(shots=shots, seed=3) and 'few_shot' not in clips.unlabelled
            assert cfg.train_cfg.max_epochs == cfg.param_scheduler[1].T_max == 8
            assert cfg.default_hooks.checkpoint.interval == 8
            assert cfg.custom_hooks[0].get('background') == background


@pytest.mark.parametrize(
    ('setting', 'pool', 'tested'), [('words33', ['train', 'val'], 'test'), ('words33_dev', ['train'], 'val')]
)
def test_propagation_is_a_test_of_the_encoder_of_the_protocol(setting, pool, tested):
    plan = plan_of(setting)
    for row, background in ((1, None), (2, '-')):
        for shots in (1, 2, 5, 10):
            run = plan.cells[row, f'{shots}-shot P-I'][0].run
            assert run.name == plan.cells[0, '1-shot P-I'][0].run.parent.name
            test = run.cfg.test_cfg
            assert test.type == 'PropagationTestLoop' and test.get('background') == background
            assert test.gallery.dataset.split == test.labelled.split == pool
            assert (
                test.labelled.few_shot == dict(shots=shots, seed=3) and 'few_shot' not in test.gallery.dataset
            )
            assert run.cfg.test_dataloader.dataset.split == tested


def test_cells_without_unlabelled_clips_are_left_out():
    plan = plan_of('words33')
    assert {row for row, title in plan.cells if title.startswith('whole pool')} == {0}


@pytest.fixture
def store(tmp_path):
    """Two glosses and rest: 10 clips each, six of the pool and four to test."""
    with PoseStoreWriter(tmp_path / 'store', 'hands_42', ['-', 'fist', 'flat']) as writer:
        for label in range(3):
            for clip in range(10):
                keypoints = torch.rand(20, 42, 3).mul(300).numpy()
                keypoints[..., 2] = 1
                split = 'train' if clip < 5 else 'val' if clip < 6 else 'test'
                writer.add(keypoints, label, split, f'{label}_{clip}', width=640, height=480)
    return str(tmp_path / 'store')


def test_propagated_labels_come_from_the_drawn_clips(store, monkeypatch):
    """Rest's clips lie far from each other; the two signs close together, far from each other."""
    pool, test = (PoseDataset(store, split, layout='hands_42') for split in (['train', 'val'], ['test']))
    drawn = PoseDataset(store, ['train', 'val'], layout='hands_42', few_shot=dict(shots=1, seed=0))
    axes, spread, features = torch.eye(3, 20), torch.eye(20)[-len(pool) :], {}
    for data in (pool, test):
        label = torch.from_numpy(data.labels)
        noise = spread[: len(label)] if data is pool else spread[[0]].expand(len(label), -1)
        features[data] = axes[label] + torch.where(label[:, None] == 0, 3.0, 0.1) * noise, label
    monkeypatch.setitem(
        PropagationTestLoop.scores.__globals__,
        'extract_features',
        lambda model, loader, segments: features[loader.dataset],
    )
    loop = PropagationTestLoop.__new__(PropagationTestLoop)
    loop.gallery, loop.labelled, loop.k, loop.temperature, loop.segments = Loader(pool), drawn, 1, 0.07, 2
    loop.background, loop.propagation, loop.dataloader = '-', {}, Loader(test)
    loop._runner = Loader(None)
    scores, truth = loop.scores()
    signs = truth > 0
    assert (scores.argmax(1) == truth)[signs].all()
    # the pool's own labels are not read
    wrong = features[pool][1].clone()
    others = torch.tensor([clip not in drawn.clips for clip in pool.clips])
    wrong[others] = (wrong[others] + 1) % 3
    features[pool] = features[pool][0], wrong
    assert torch.equal(loop.scores()[0], scores)
    # Clips of another split, and of another store with the same numbers.
    shutil.copytree(store, f'{store}_2')
    for labelled, count in ((test, 12), (PoseDataset(f'{store}_2', 'train', layout='hands_42'), 15)):
        loop.labelled = labelled
        with pytest.raises(ConfigError, match=f'labelled: {count} of its {count} clips are not in the pool'):
            loop.scores()


class Loader:
    """What the loop asks of a loader and of a runner."""

    model = None

    def __init__(self, dataset):
        self.dataset = dataset
