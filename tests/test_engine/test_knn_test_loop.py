"""kNN as a test: its votes through the usual metric."""

import pytest
import torch
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from signbert_mm.errors import ConfigError
from signbert_mm.evaluation.knn import extract_features, knn_accuracy
from signbert_mm.registry import DATASETS, MODELS


@DATASETS.register_module(force=True)
class ToyClips(Dataset):
    """Points near their class's axis."""

    def __init__(self, size, seed, classes=3):
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.arange(size) % classes
        self.points = torch.eye(classes, max(classes, 4))[self.labels] + 0.6 * torch.randn(
            size, max(classes, 4), generator=generator
        )
        self.metainfo = dict(glosses=[f'g{place}' for place in range(classes)])

    def __len__(self):
        return len(self.points)

    def __getitem__(self, place):
        return dict(inputs=dict(x=self.points[place], index=torch.tensor(place), label=self.labels[place]))


@MODELS.register_module(force=True)
class ToyFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.data_preprocessor = lambda data, training: data

    def extract_features(self, inputs):
        return inputs['x'] * self.scale


def loader(**dataset):
    return dict(
        batch_size=4,
        dataset=dict(type='ToyClips', **dataset),
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )


def runner(tmp_path, name, query=None, topk=(1,), **test_cfg):
    return Runner(
        ToyFeatures(),
        str(tmp_path),
        test_dataloader=loader(**(query or dict(size=11, seed=1))),
        test_evaluator=dict(type='SignAccuracy', topk=topk),
        test_cfg=dict(type='KNNTestLoop', **test_cfg),
        default_scope='signbert_mm',
        experiment_name=f'knn_test_{name}',
        log_level='WARNING',
    )


def test_votes_are_the_scores_of_the_metric(tmp_path):
    test = runner(tmp_path, 'a', gallery=loader(size=21, seed=0), k=3)
    metrics = test.test()
    loop = test.test_loop
    expected = knn_accuracy(
        *(extract_features(test.model, part) for part in (loop.gallery, loop.dataloader)), k=3
    )
    assert metrics['p_i/top1'] == pytest.approx(expected['top1']) and metrics['p_c/top1'] == pytest.approx(
        expected['per_class_top1']
    )
    assert metrics['clips'] == 11 and 40 < metrics['p_i/top1'] < 100
    with pytest.raises(ConfigError, match='3 glosses.*4.*other label maps'):
        runner(tmp_path, 'b', gallery=loader(size=21, seed=0), query=dict(size=8, seed=1, classes=4)).test()


def test_classes_without_a_vote_do_not_count(tmp_path):
    """Of 8 classes one neighbour votes for one: top-5 is top-1, and top-8 is not 100 by definition."""
    metrics = runner(
        tmp_path,
        'd',
        dict(size=40, seed=1, classes=8),
        topk=(1, 5, 8),
        gallery=loader(size=40, seed=0, classes=8),
        k=1,
    ).test()
    assert 0 < metrics['p_i/top1'] == metrics['p_i/top5'] == metrics['p_i/top8'] < 90
    assert metrics['p_c/top5'] == metrics['p_c/top1']


def test_clips_do_not_vote_on_themselves(tmp_path):
    from signbert_mm.datasets.synthetic import write_synthetic_store

    store = str(tmp_path / 'store')
    write_synthetic_store(store, num_glosses=2, num_signers=4, clips_per_gloss=8, layout='sign_49', seed=0)

    def clips(*split):
        return dict(type='PoseDataset', store=store, split=list(split))

    test = runner(tmp_path, 'c', gallery=dict(loader(size=1, seed=0), dataset=clips('train', 'test')))
    test._test_dataloader = dict(loader(size=1, seed=0), dataset=clips('test'))
    with pytest.raises(ConfigError, match=r'test_cfg.gallery holds \d+ clips of test_dataloader'):
        test.test()
