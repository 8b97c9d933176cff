"""kNN against a plain loop, and features gathered from a loader."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from signbert_mm.engine import KNNHook
from signbert_mm.errors import ConfigError
from signbert_mm.evaluation import knn
from signbert_mm.evaluation.knn import check_gallery, extract_features, knn_accuracy, knn_scores


def rows(count, seed, channels=4):
    return torch.randn(count, channels, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize('k, temperature', [(1, 0.07), (3, 0.07), (12, 1.0)])
def test_scores(k, temperature):
    gallery, queries = rows(12, 0), rows(5, 1)
    labels = torch.arange(12) % 3
    scores = knn_scores(gallery, labels, queries, 4, k, temperature)
    for query, given in zip(queries.double(), scores):
        cosines = [float(query @ row / query.norm() / row.norm()) for row in gallery.double()]
        near = sorted(range(12), key=lambda place: -cosines[place])[:k]
        votes = [
            sum(
                math.exp((cosines[place] - cosines[near[0]]) / temperature)
                for place in near
                if labels[place] == name
            )
            for name in range(4)
        ]
        assert given.tolist() == pytest.approx(votes, rel=1e-4)


def test_of_equally_near_clips_the_earlier_counts():
    gallery = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    assert knn_scores(gallery, torch.tensor([2, 1, 0]), torch.tensor([[3.0, 0.0]]), 3, k=1).argmax() == 2


def test_accuracy():
    """Classes 0, 0, 0, 1 of which 2, and the one, are right: 75 % of the clips, the mean of 2/3 and 1 over
    classes.
    """
    gallery = (torch.eye(2), torch.tensor([0, 1]))
    queries = (torch.tensor([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0], [0.2, 1.0]]), torch.tensor([0, 0, 0, 1]))
    figures = knn_accuracy(gallery, queries, num_classes=7, k=1)
    # one neighbour, one class
    assert figures == pytest.approx(dict(top1=75.0, top5=75.0, per_class_top1=100 * (2 / 3 + 1) / 2))


def test_classes_without_a_vote_are_not_among_the_five():
    """8 classes, every nearest clip of another class; and with 2 of 3 neighbours' classes right, however low
    the right label is.
    """
    labels = torch.arange(8)
    assert knn_accuracy((torch.eye(8), labels.roll(1)), (torch.eye(8), labels), k=1) == dict(
        top1=0.0, top5=0.0, per_class_top1=0.0
    )
    query = (torch.tensor([[1.0, 0.5, 0.2]]).repeat(3, 1), torch.tensor([0, 6, 7]))
    gallery = (torch.eye(3), torch.tensor([5, 6, 7]))
    assert knn_accuracy(gallery, query, k=2)['top5'] == pytest.approx(100 / 3) and knn_accuracy(
        gallery, query, k=3
    )['top5'] == pytest.approx(200 / 3)


def test_the_faintest_vote_counts():
    scores = knn_scores(
        torch.tensor([[1.0, 0.0], [-1.0, 0.0]]),
        torch.tensor([0, 1]),
        torch.tensor([[1.0, 0.0]]),
        3,
        k=2,
        temperature=1e-6,
    )
    assert (scores > 0).tolist() == [[True, True, False]] and scores.argmax() == 0


@pytest.mark.parametrize(
    'gallery, queries, options, message',
    [
        ([0, 1], [0], dict(k=3), 'from 1 to the 2 clips of the gallery, got 3'),
        ([0, 1], [0], dict(k=1, temperature=0.0), 'temperature must be a number above 0, got 0.0'),
        ([0, 1], [0], dict(k=1, temperature=float('nan')), 'temperature must be a number above 0, got nan'),
        ([0, -1], [0], dict(k=1), 'labels of the gallery reach from -1 to 0'),
        ([0, 1], [-1], dict(k=1), 'labels of the queries reach from -1'),
        ([0, 1], [1], dict(k=1, num_classes=1), 'labels of the queries reach from 1 to 1, need 0 .. 0'),
    ],
)
def test_bad_input(gallery, queries, options, message):
    with pytest.raises(ValueError, match=message):
        knn_accuracy(
            (rows(len(gallery), 0), torch.tensor(gallery)),
            (rows(len(queries), 1), torch.tensor(queries)),
            **options,
        )


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
        self.layer[0].eval()

    def data_preprocessor(self, data, training):
        assert not training
        return dict(inputs=data)

    def extract_features(self, inputs):
        return self.layer(inputs['x'])


def items(order):
    x = rows(6, 0)
    return [dict(x=x[place], index=place, label=place % 2) for place in order]


def test_features_in_order_whatever_the_loader():
    model = Model()
    features, labels = extract_features(model, DataLoader(items([4, 0, 3, 1, 5, 2]), batch_size=4))
    assert model.training and model.layer[1].training and not model.layer[0].training  # as they were
    torch.testing.assert_close(features, model.layer[0](rows(6, 0)).detach())
    assert labels.tolist() == [0, 1] * 3


def test_ranks_share_the_clips(monkeypatch):
    """The second process has clip 0 too, which fills up its share; without the second process' clips some are
    missing.
    """
    others = (
        np.array([[9.0, 0.0, 0.0], [8.0, 0.0, 0.0], [7.0, 0.0, 0.0]], dtype=np.float32),
        np.array([3, 1, 0]),
        np.array([1, 1, 0]),
    )
    loader = DataLoader(items([0, 2]), batch_size=2)
    loader.dataset.extend([None] * 2)
    loader = DataLoader(loader.dataset, batch_sampler=[[0, 1]])
    with pytest.raises(ValueError, match='features of 2 clips, but the data set has 4'):
        extract_features(Model(), loader)
    monkeypatch.setattr(knn, 'all_gather_object', lambda mine: [mine, others])
    features, labels = extract_features(Model(), loader)
    assert features[[0, 1, 3], 0].tolist() == [7, 8, 9] and labels.tolist() == [0, 1, 0, 1]


def test_models_without_features_and_features_that_are_no_numbers():
    with pytest.raises(TypeError, match='Linear has no extract_features'):
        extract_features(nn.Linear(1, 1), None)
    model = Model()
    nn.init.constant_(model.layer[0].bias, float('nan'))
    with pytest.raises(ValueError, match='Model gives features that are not finite'):
        extract_features(model, DataLoader(items(range(6)), batch_size=4))


def clips_of(folder, clips, glosses='ab', parts=()):
    """A loader of some clips of a store, or of a concatenation."""
    own = {} if parts else dict(store=SimpleNamespace(folder=str(folder)), clips=np.array(clips))
    dataset = SimpleNamespace(
        metainfo=dict(glosses=list(glosses)), parts=[part.dataset for part in parts], **own
    )
    return SimpleNamespace(dataset=dataset)


def test_a_gallery_has_the_label_map_of_the_queries_and_none_of_their_clips(tmp_path):
    one, two = tmp_path / 'one', tmp_path / 'two'
    two.mkdir()
    one.symlink_to(two)
    queries = clips_of(one, [3, 4])
    for gallery in (clips_of(two, [1, 2]), clips_of(tmp_path, [3, 4])):
        check_gallery(gallery, queries, 'G', 'Q')
    whole = clips_of('', [], parts=[clips_of(tmp_path, [3]), clips_of(two, [4, 5])])
    for gallery, message in (
        (clips_of(two, [1, 2], glosses='ba'), r'G \(2 glosses\) and Q \(2\) have other label maps'),
        (clips_of(two, [0, 4, 3]), r'G holds 2 clips of Q \(.*two\); give them different splits'),
        (whole, 'G holds 1 clips of Q'),
    ):
        with pytest.raises(ConfigError, match=message):
            check_gallery(gallery, queries, 'G', 'Q')


def test_the_hook_checks_its_gallery_before_training(tmp_path):
    hook = KNNHook(None, None)
    hook.gallery, hook.query = clips_of(tmp_path, [1, 2]), clips_of(tmp_path, [2])
    with pytest.raises(ConfigError, match=r'KNNHook.gallery holds 1 clips of KNNHook.query'):
        hook.before_train(SimpleNamespace(iter=7))
