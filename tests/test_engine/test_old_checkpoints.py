"""Checkpoints whose gesture encoder was built otherwise: the model is built as they were, or they are refused
with the remedy.
"""

import copy

import pytest
import torch
from mmengine.config import Config, ConfigDict

from signbert_mm.apis import init_model
from signbert_mm.engine.hooks import LoadReportHook
from signbert_mm.engine.load_encoder import build_model
from signbert_mm.engine.old_checkpoints import adapt_config, adapt_to_weights
from signbert_mm.files import shipped
from signbert_mm.files.checkpoints import CheckpointError
from signbert_mm.registry import MODELS

OLD = dict(norm='LN', input_norm=False, output_norm=False, bias=True)
SETTINGS = dict(
    layer_norm=OLD,
    batch_norm_with_bias=dict(norm='BN', input_norm=False, output_norm=False, bias=True),
    without_output_norm=dict(norm='BN', input_norm=True, output_norm=False),
)


def recogniser(**gesture):
    gesture = dict(type='GestureGCN', joint_channels=(6,), part_channels=(8,), **gesture)
    return ConfigDict(
        type='SignRecognizer',
        embedder=dict(type='HandTokenEmbedder', gesture=gesture, max_frames=16),
        backbone=dict(
            type='HandTransformer', embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=8
        ),
        head=dict(type='SignHead', num_classes=3, in_channels=8),
        data_preprocessor=dict(type='SignDataPreprocessor'),
    )


@pytest.fixture
def save(tmp_path):
    """``save(**gesture)``: a checkpoint of a recogniser with these settings, and its weights."""

    def make(prefix='', **gesture):
        torch.manual_seed(1)
        weights = MODELS.build(recogniser(**gesture)).state_dict()
        path = tmp_path / 'old.pth'
        torch.save(
            dict(state_dict={f'{prefix}{name}': value for name, value in weights.items()}, meta={}), path
        )
        return str(path), weights

    return make


@pytest.mark.parametrize('settings', SETTINGS)
def test_for_inference_the_model_is_built_as_it_was(save, settings):
    path, weights = save(**SETTINGS[settings])
    model = init_model(Config(dict(model=recogniser())), path)
    loaded = model.state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], value) for name, value in weights.items())


def test_what_a_wrapped_model_saved(save):
    path, _ = save(prefix='module.', **OLD)
    model = recogniser()
    adapt_to_weights(model, torch.load(path, weights_only=True), 'checkpoint')
    assert model.embedder.gesture.norm == 'LN'


def test_features_alone(save):
    path, weights = save(**OLD)
    model = build_model(Config(dict(model=recogniser())), path)
    assert torch.equal(
        model.state_dict()['embedder.gesture.joint_layers.0.bias'],
        weights['embedder.gesture.joint_layers.0.bias'],
    )


def test_for_training_the_config_follows_the_checkpoint_it_starts_from(save):
    path, _ = save(**OLD)
    cfg = Config(dict(model=recogniser(), load_from=path))
    adapt_config(cfg)
    gesture = cfg.model.embedder.gesture
    assert (gesture.norm, gesture.input_norm, gesture.bias) == ('LN', False, True)


@pytest.mark.parametrize('settings', [dict(OLD), dict(norm='BN', input_norm=True, output_norm=True), {}])
def test_a_config_whose_settings_are_those_of_the_checkpoint_stays(save, settings):
    path, _ = save(**settings)
    cfg = Config(dict(model=recogniser(**settings), load_from=path))
    before = cfg.pretty_text
    adapt_config(cfg)
    assert cfg.pretty_text == before


def test_weights_of_the_package_are_read_too(save, monkeypatch, tmp_path):
    save(**OLD)
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path)
    cfg = Config(dict(model=recogniser(), load_from='zoo://old'))
    adapt_config(cfg)
    assert cfg.model.embedder.gesture.norm == 'LN'


def test_a_config_that_starts_from_nothing_stays(tmp_path):
    cfg = Config(dict(model=recogniser(), work_dir=str(tmp_path), resume=True))
    before = copy.deepcopy(cfg.model.to_dict())
    adapt_config(cfg)
    assert cfg.model.to_dict() == before


def test_the_log_says_what_it_is(save, monkeypatch):
    lines = []
    monkeypatch.setattr('signbert_mm.engine.old_checkpoints.print_log', lambda text, **_: lines.append(text))
    path, _ = save(**OLD)
    init_model(Config(dict(model=recogniser())), path)
    assert len(lines) == 1 and f'checkpoint {path} has layer norm in GestureGCN' in lines[0]


@pytest.mark.parametrize('stage', ['train', 'test', 'resume'])
def test_a_model_built_otherwise_refuses_it(save, stage):
    path, _ = save(**OLD)
    model = MODELS.build(recogniser())
    with pytest.raises(
        CheckpointError, match='model.embedder.gesture.norm=LN model.embedder.gesture.input_norm=False'
    ):
        LoadReportHook().compare(model, torch.load(path, weights_only=True), f'checkpoint {path}', stage)


def of_hands(linear):
    """A recogniser of ST-Consistency, hands alone; ``linear``: as version 0.2 built it."""
    gesture = dict(layout='hand_21', joint_channels=(6,), part_channels=(8,))
    if linear:
        gesture.update(type='GestureGCN', norm='BN', input_norm=True, output_norm=False)
    else:
        gesture.update(type='ResidualGestureGCN', dropout=0.1)
    options = dict(linear=True) if linear else {}
    attention = dict(num_layers=1, num_heads=2, feedforward_channels=8, input_norm=True)
    return ConfigDict(
        type='STConsistencyRecognizer',
        encoder=dict(
            type='HandTrunkEncoder',
            parts=('hand',),
            hand_embedder=dict(
                type='TemporalGCNEmbedder', channels=8, num_blocks=1, gesture=gesture, **options
            ),
            hand_backbone=dict(type='HandTransformer', embed_dims=16, **attention),
        ),
        head=dict(type='LinearFusionHead', num_classes=3, in_channels=8),
        data_preprocessor=dict(type='SignDataPreprocessor'),
    )


@pytest.fixture
def of_version_02(tmp_path):
    """A checkpoint of ST-Consistency, and its weights."""
    weights = MODELS.build(of_hands(linear=True)).state_dict()
    path = tmp_path / 'st.pth'
    torch.save(dict(state_dict=weights, meta={}), path)
    return str(path), weights


def test_st_consistency_is_built_as_it_was(of_version_02, monkeypatch):
    path, weights = of_version_02
    assert not [name for name in weights if name.endswith(('wide.bias', 'input.1.weight'))]
    lines = []
    monkeypatch.setattr('signbert_mm.engine.old_checkpoints.print_log', lambda text, **_: lines.append(text))
    loaded = init_model(Config(dict(model=of_hands(linear=False))), path).state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], value) for name, value in weights.items())
    assert len(lines) == 1 and f'checkpoint {path} has the ST-Consistency encoder of version 0.2' in lines[0]
    cfg = Config(dict(model=of_hands(linear=False), load_from=path))
    adapt_config(cfg)
    assert cfg.model == of_hands(linear=True)


def test_st_consistency_refuses_it_where_the_model_is_built(of_version_02):
    path, _ = of_version_02
    model = MODELS.build(of_hands(linear=False))
    with pytest.raises(CheckpointError, match='has the ST-Consistency encoder of version 0.2'):
        LoadReportHook().compare(model, torch.load(path, weights_only=True), f'checkpoint {path}', 'train')


def test_todays_st_consistency_stays(tmp_path):
    weights = MODELS.build(of_hands(linear=False)).state_dict()
    config = of_hands(linear=False)
    adapt_to_weights(config, dict(state_dict=weights), 'checkpoint')
    assert config == of_hands(linear=False)
