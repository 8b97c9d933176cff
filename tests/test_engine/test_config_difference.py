"""Settings of a model that no tensor shows, compared with those of its checkpoint."""

import copy

import pytest
import torch
from mmengine.config import Config

from signbert_mm.engine import load_encoder
from signbert_mm.engine.config_difference import encoder_differences, model_differences, trained_otherwise
from signbert_mm.engine.runner import load_config
from signbert_mm.registry import MODELS

# Pre-training -> what is trained from it.
RECIPES = {
    'words33/signbert_d128_pretrain': [
        *(
            f'words33/signbert_d128_{name}'
            for name in ('finetune', 'finetune_pool', 'asl33', 'linear', 'semi')
        ),
        'segmentation/signbert_d128_wlasl100_signers',
        'segmentation/segmenter_d128_wlasl100',
    ],
    'wlasl_hands/signbert_d128_pretrain_wlasl': [
        *(f'wlasl_hands/signbert_d128_{name}_wlasl300' for name in ('paper', 'beyond')),
        *(f'wlasl_hands/signbert_d128_{name}' for name in ('wlasl300', 'wlasl100_open')),
    ],
    'demo/signbert_d128_pretrain_synthetic': ['demo/signbert_d128_finetune_synthetic'],
    'pretrain_all': ['signbert/signbert_d512-n3_b64-60e_wlasl2000'],
    'signbert/signbert_d512-n3_b64-60e_pretrain-synthetic': ['signbert/signbert_d512-n3_b64-60e_synthetic'],
    'st_consistency/st_consistency_d512_b64-150e_pretrain-all': [
        f'st_consistency/st_consistency_d512_b64-{name}_msasl1000'
        for name in ('60e', 'linear-70e', 'semi-60e')
    ],
    'st_consistency/st_consistency_d512_b64-150e-code_pretrain-all': [
        'st_consistency/st_consistency_d512_b64-80e-code_msasl1000'
    ],
    'st_consistency/st_consistency_d64_b32_pretrain-synthetic': [
        f'st_consistency/st_consistency_d64_b64{name}_synthetic' for name in ('', '-linear')
    ],
    'st_consistency/st_consistency_d64_b32_pretrain-words33': [
        f'words33/st_consistency_d64_{name}' for name in ('finetune', 'linear')
    ],
}


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


@pytest.mark.parametrize('pretraining', RECIPES)
def test_the_recipes_of_the_repository_fit(pretraining):
    before = load_config(f'configs/{pretraining}.py').model.to_dict()
    for name in RECIPES[pretraining]:
        model = load_config(f'configs/{name}.py').model.to_dict()
        assert 'head' in model and encoder_differences(before, model) == [], name


@pytest.mark.parametrize(
    'options, texts',
    [
        (dict(backbone__num_heads=2), ['model.backbone.num_heads is 4 there and 2 here']),
        (
            {'data_preprocessor__test_pipeline.0.location': 'shoulders'},
            ["model.test_pipeline.HandCrop.location is 'image' there and 'shoulders' here"],
        ),
        # Of training, of the head, or shown by tensors.
        (dict(head__dropout=0.9, backbone__dropout=0.9, backbone__conv_kernel=5, test_views=3), []),
        ({'data_preprocessor__test_pipeline.0.layout': 'sign_49'}, []),
    ],
)
def test_an_encoder_that_is_fine_tuned(model, root, options, texts):
    before = load_config(str(root / 'configs/words33/signbert_d128_pretrain.py')).model.to_dict()
    assert encoder_differences(before, changed(model, **options)) == texts


def test_features_of_another_encoder_are_named(model, tmp_path, monkeypatch):
    cfg = Config(dict(model=model))
    path = str(tmp_path / 'a.pth')
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=MODELS.build(cfg.model).state_dict()), path)
    said = []
    monkeypatch.setattr(load_encoder, 'print_log', lambda text, **_: said.append(text))
    load_encoder.build_model(cfg, path)
    assert not said
    cfg.model.backbone.num_heads = 2
    load_encoder.build_model(cfg, path)
    assert len(said) == 1 and 'model.backbone.num_heads is 4 there and 2 here' in said[0]
