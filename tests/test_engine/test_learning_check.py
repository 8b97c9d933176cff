"""Whether models learn at all: the checks themselves, and every encoder and recogniser of the package put
through them.
"""

import math

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from signbert_mm.datasets import write_synthetic_store
from signbert_mm.engine.learning_check import (
    LEAST_SHARE,
    LearningReport,
    _check_gradients,
    check_learning,
    few_clips,
    record_shares,
    share_between,
)
from signbert_mm.engine.runner import load_config
from signbert_mm.errors import ConfigError
from signbert_mm.registry import MODELS

PRETRAIN = 'configs/demo/signbert_d128_pretrain_synthetic.py'
FINETUNE = 'configs/demo/signbert_d128_finetune_synthetic.py'


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    """Signs of ten glosses as a detector sees them, five or more clips each in train."""
    folder = tmp_path_factory.mktemp('signs') / 'store'
    signs = dict(num_glosses=10, num_signers=4, clips_per_gloss=12, seed=0, layout='sign_49', detector=0.5)
    write_synthetic_store(str(folder), **signs, truth=False)
    return str(folder)


@pytest.fixture
def config(root, store, monkeypatch):
    """``config(file, **changes)``: a config of the project on that store, batches of 16 clips."""
    monkeypatch.chdir(root)

    def make(file, **changes):
        options = {'train_dataloader.dataset.store': store, 'train_dataloader.batch_size': 16}
        return load_config(
            file, {**options, **{key.replace('__', '.'): value for key, value in changes.items()}}
        )

    return make


def test_share_by_hand():
    vectors = torch.tensor([[[3.0, 0.0]], [[1.0, 0.0]]])  # mean 2: common energy 4 of (9 + 1) / 2 = 5
    assert share_between(vectors) == pytest.approx(0.2)
    assert share_between(torch.ones(4, 3, 2)) == pytest.approx(0.0)
    assert share_between(torch.tensor([[1.0], [-1.0]])) == pytest.approx(1.0)
    assert math.isnan(share_between(torch.zeros(3, 2)))


def test_what_is_common_at_a_place_does_not_count():
    code = 10 * torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0))
    assert share_between(code.expand(4, 5, 8)) == pytest.approx(0.0, abs=1e-12)


def test_only_valid_vectors_count():
    vectors = torch.tensor([[1.0, 2.0], [1.0, 2.0], [9.0, -9.0]])
    assert share_between(vectors, torch.tensor([True, True, False])) == pytest.approx(0.0, abs=1e-12)
    assert share_between(vectors) > 0.5


def test_few_clips():
    labels = [0, 1, 1, 2, 1, 2, -1, 0, 1]
    assert few_clips(labels, clips=4, classes=2) == [0, 1, 2, 7]
    assert few_clips(labels, clips=100, classes=100) == [0, 1, 2, 3, 4, 5, 7, 8]
    with pytest.raises(ValueError, match='1 classes have clips'):
        few_clips([3, 3, -1], 2, 2)


@MODELS.register_module()
class DeafGesture(BaseModule):
    """Hardly looks at the hand, has a part that takes part in no loss, and one without effect."""

    out_channels = 128

    def __init__(self, unused=False):
        super().__init__()
        self.line = nn.Linear(42, 128)
        nn.init.constant_(self.line.bias, 5.0)
        self.cut = nn.Parameter(torch.ones(128))
        self.unused = nn.Parameter(torch.ones(3)) if unused else None

    def forward(self, hands, valid):
        return 0.1 * self.line(hands.flatten(-2)) + 0.0 * self.cut


def test_an_encoder_that_does_not_look_fails(config):
    cfg = config(FINETUNE, model__embedder__gesture=dict(_delete_=True, type='DeafGesture', unused=True))
    report = check_learning(cfg, steps=1)
    assert report.shares['embedder.gesture'] < 0.02
    failures = '\n'.join(report.failures)
    assert 'of the energy of embedder.gesture differs between clips' in failures
    assert 'not so: embedder.gesture.unused' in failures
    assert 'embedder.gesture.cut' in failures
    assert 'are answered rightly' in failures


def test_layer_norm_over_one_node_fails(config):
    """Why the default is another one."""
    norms = dict.fromkeys(('model.embedder.gesture.input_norm', 'model.embedder.gesture.output_norm'), False)
    cfg = config(FINETUNE, **{**norms, 'model.embedder.gesture.norm': 'LN'})
    report = check_learning(cfg, clips=4, classes=2, steps=1)
    assert report.shares['embedder.gesture'] < 0.02 and report.shares['embedder'] < 0.02


def test_gradients():
    model = nn.ModuleDict(dict(a=nn.Linear(2, 2), b=nn.Linear(2, 2), c=nn.Linear(2, 2)))
    model['a'].weight.grad, model['a'].bias.grad = torch.ones(2, 2), torch.tensor([1.0, math.nan])
    model['b'].weight.grad, model['b'].bias.grad = torch.zeros(2, 2), torch.ones(2)
    model['c'].requires_grad_(False)
    report = LearningReport()
    _check_gradients(report, model)
    assert [line.startswith('FAIL') for line in report.facts[:3]] == [False, True, True]
    assert 'a.bias' in report.failures[0] and 'b.weight' in report.failures[1]


def test_a_config_without_training_data():
    from mmengine.config import Config

    with pytest.raises(ConfigError, match='a model and a train_dataloader are needed'):
        check_learning(Config(dict(model=None)))


FRAMES = 8
SHORT = {'train_dataloader.dataset.pipeline': [dict(type='UniformTemporalSample', clip_len=FRAMES)]}
NARROW = {
    f'model.model.backbone.{key}': value
    for key, value in dict(base_channels=16, num_stages=3, inflate_stages=[3], down_stages=[3]).items()
}
# config, changes, steps and learning rate
RECOGNISERS = dict(
    SignRecognizer=(FINETUNE, SHORT, 60, 1e-3),
    STConsistencyRecognizer=('configs/st_consistency/st_consistency_d64_b64_synthetic.py', {}, 80, 1e-3),
    MMActionRecognizer=(
        'configs/fusion/stgcn-c24_sign49-joint_b64-100e_synthetic-demo.py',
        {**SHORT, **NARROW, 'model.model.cls_head.in_channels': 32},
        120,
        1e-2,
    ),
)


@pytest.mark.parametrize('recogniser', RECOGNISERS)
def test_each_recogniser_learns_50_clips_of_10_glosses_by_heart(config, recogniser):
    if recogniser == 'MMActionRecognizer':
        pytest.importorskip('mmaction')
    file, options, steps, lr = RECOGNISERS[recogniser]
    report = check_learning(config(file, **options), clips=50, classes=10, steps=steps, lr=lr)
    assert report.accuracy == 1, report.facts
    assert not report.failures, report.failures
    assert report.losses[-1] < 0.5 * report.losses[0]


PRETRAINERS = dict(
    SignBERT=(PRETRAIN, SHORT, 60),
    STConsistency=('configs/st_consistency/st_consistency_d64_b32_pretrain-synthetic.py', {}, 120),
)


@pytest.mark.parametrize('pretrainer', PRETRAINERS)
def test_each_pretrainer_learns(config, pretrainer):
    file, options, steps = PRETRAINERS[pretrainer]
    report = check_learning(config(file, **options), clips=16, steps=steps)
    assert not report.failures, report.failures
    assert report.shares and all(share >= LEAST_SHARE for share in report.shares.values())
    assert report.trained_shares.keys() == report.shares.keys()


WIDE = dict(
    signbert='configs/signbert/signbert_d512-n3_b64-60e_synthetic.py',
    signbert_pretrain='configs/signbert/signbert_d512-n3_b64-60e_pretrain-synthetic.py',
    st_consistency='configs/st_consistency/st_consistency_d512_b64-150e_pretrain-synthetic.py',
)


@pytest.mark.parametrize('name', WIDE)
def test_at_full_width_what_each_encoder_gives_differs_between_clips(config, name):
    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner

    init_default_scope('signbert_mm')
    cfg = config(WIDE[name], train_dataloader__batch_size=8, train_dataloader__num_workers=0)
    cfg.train_dataloader.persistent_workers = False
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    inputs = model.data_preprocessor(next(iter(Runner.build_dataloader(cfg.train_dataloader))), True)[
        'inputs'
    ]
    with torch.no_grad(), record_shares(model.train()) as shares:
        features = model.extract_features(inputs)
    shares['extract_features'] = share_between(features)
    assert len(shares) >= 4
    assert all(share >= LEAST_SHARE for share in shares.values()), shares


def test_a_head_of_another_class_count_is_noted(config):
    report = check_learning(config(FINETUNE), clips=2, classes=2, steps=1)
    assert report.facts[0].startswith('note: tools/train.py will refuse this: config: model.head.num_classes')
    report = check_learning(config(FINETUNE, model__head__num_classes=10), clips=2, classes=2, steps=1)
    assert not report.facts[0].startswith('note')
