"""Settings of a model that no tensor shows, compared with those of its checkpoint."""

import copy

import pytest
from mmengine.config import Config

from signbert_mm.engine.config_difference import model_differences, trained_otherwise
from signbert_mm.engine.runner import load_config


@pytest.fixture
def model(root):
    return load_config(str(root / 'configs/words33/signbert_d128_finetune.py')).model.to_dict()


def changed(model, **options):
    cfg = Config(dict(model=copy.deepcopy(model)))
    cfg.merge_from_dict({f'model.{key.replace("__", ".")}': value for key, value in options.items()})
    return cfg.model.to_dict()


@pytest.mark.parametrize(
    'options, text',
    [
        (dict(backbone__num_heads=2), 'model.backbone.num_heads is 4 there and 2 here'),
        (dict(test_views=3), 'model.test_views is 1 there and 3 here'),
        (
            {'data_preprocessor__test_pipeline.0.padding': 1.5},
            'model.data_preprocessor.test_pipeline.0.padding is 2.2 there and 1.5 here',
        ),
    ],
)
def test_what_differs_is_named(model, options, text):
    assert model_differences(model, changed(model, **options)) == [text]


def test_what_changes_nothing_in_evaluation(model):
    same = changed(
        model,
        backbone__dropout=0.4,
        head__dropout=0.9,
        frozen=('embedder',),
        data_preprocessor__train_pipeline=[],
        # the defaults, written out; a tuple for a list; the type with its scope
        test_views=1,
        backbone__type='signbert_mm.HandTransformer',
        embedder__gesture__joint_channels=tuple(model['embedder']['gesture']['joint_channels']),
    )
    assert model_differences(model, same) == []


def test_a_checkpoint_with_its_config(model):
    cfg = Config(dict(model=model))
    meta = dict(cfg=cfg.pretty_text)
    assert trained_otherwise(meta, model, 'checkpoint a.pth') is None
    text = trained_otherwise(meta, changed(model, backbone__num_heads=2), 'checkpoint a.pth')
    assert text.startswith('checkpoint a.pth was trained with another config than this one: model.backbone')


@pytest.mark.parametrize('meta', [{}, dict(cfg=''), dict(cfg='import os'), dict(cfg='model = 3')])
def test_a_checkpoint_without_a_readable_config_says_nothing(meta, model):
    assert trained_otherwise(meta, model, 'checkpoint a.pth') is None
