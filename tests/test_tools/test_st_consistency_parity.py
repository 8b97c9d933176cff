"""ST-Consistency against its authors' own code: features and losses of the same weights and poses.

Runs where SIGNBERT_MM_ST_CONSISTENCY_REPO names a checkout of
https://github.com/sakura2233565548/Self-Supervised-Representation-Learning-with-Spatial-Temporal-Consistency-for-SLR
(commit 9dc8031 was compared). Nothing of it is in this repository.
"""

import importlib.util
import os
import sys

import pytest
import torch
from mmengine.config import Config
from torch import nn
from torch.nn import functional as F

from signbert_mm.models import HandTransformer, MemoryBank
from signbert_mm.registry import MODELS

VARIABLE = 'SIGNBERT_MM_ST_CONSISTENCY_REPO'
CONFIGS = dict(
    pretrain='st_consistency_d512_b64-150e-code_pretrain-all',
    finetune='st_consistency_d512_b64-80e-code_msasl1000',
)
TOLERANCE = 1e-5
CLIPS, FRAMES, CLASSES = 4, 12, 7
pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason=f'{VARIABLE} is not set')


@pytest.fixture(scope='module')
def authors():
    """Their module of the model; it calls ``cuda()`` throughout."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(os.environ[VARIABLE])
    patch.setattr(torch.Tensor, 'cuda', lambda self, *args, **kwargs: self)
    before = set(sys.modules)
    from moco import builder_dist

    yield builder_dist
    for name in set(sys.modules) - before:
        if name.split('.')[0] == 'moco':
            del sys.modules[name]
    patch.undo()


@pytest.fixture(scope='module')
def converter(root):
    path = root / 'tools' / 'model_converters' / 'st_consistency_to_mm.py'
    spec = importlib.util.spec_from_file_location('st_consistency_to_mm', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unlike_the_start(model):
    """Biases, norms and their statistics as after a training, and no dropout."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if not tensor.is_floating_point() or 'queue' in name or name.endswith(('.A', '.A_pool')):
            continue
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith('running_var'):
            tensor.data.copy_(0.2 + noise.abs())
        elif tensor.ndim == 1:
            tensor.data.add_(0.2 * noise)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model.double()


def ours(root, converter, name, state):
    """The model of the config, float64, without dropout, and their weights in it: all of them."""
    cfg = Config.fromfile(root / 'configs' / 'st_consistency' / f'{CONFIGS[name]}.py').model
    cfg.pop('data_preprocessor')
    if name == 'finetune':
        cfg.head.num_classes = CLASSES
    model = MODELS.build(cfg)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, HandTransformer):
            for layer in module.encoder.layers:
                layer.self_attn.dropout = 0.0
    model.double()
    for module in model.modules():
        # projected vectors, and so their banks, are float32 whatever the model is
        if isinstance(module, MemoryBank):
            module.float()
    model.load_state_dict(converter.convert(state))
    return model


def make_clips(seed):
    """Their batch and ours, float64: random poses, a third of the hands missing, some joints too."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.rand(CLIPS, FRAMES, 2, 21, generator=generator) < 0.8
    found &= torch.rand(CLIPS, FRAMES, 2, 1, generator=generator) < 0.7
    options = dict(generator=generator, dtype=torch.float64)
    hands = torch.rand(CLIPS, FRAMES, 2, 21, 2, **options) * found[..., None]
    trunk = torch.rand(CLIPS, FRAMES, 7, 2, **options)
    left, right = hands.unbind(2)
    # right first, then left, over time
    mask = torch.cat([found[:, :, 1], found[:, :, 0]], dim=1)[..., None].float().expand(-1, -1, -1, 2)
    theirs = dict(rh=right, lh=left, body=trunk, mask=mask)
    view = dict(
        joint=dict(hands=hands, trunk=trunk),
        motion={
            name: torch.cat([points[:, 1:] - points[:, :-1], torch.zeros_like(points[:, :1])], dim=1)
            for name, points in (('hands', hands), ('trunk', trunk))
        },
        hand_valid=found.any(-1),
        frame_valid=torch.ones(CLIPS, FRAMES, dtype=torch.bool),
        trunk_valid=torch.ones(CLIPS, FRAMES, dtype=torch.bool),
    )
    return theirs, view


def compare(found, expected, what, record):
    """Within the tolerance; the largest difference goes into the report."""
    difference = float((found - expected).abs().max())
    record(what, f'{difference:.1e} of {float(expected.abs().max()):.3g}')
    print(f'{what}: differs by {difference:.1e}, largest value {float(expected.abs().max()):.3g}')
    torch.testing.assert_close(
        found.double(), expected.double(), rtol=TOLERANCE, atol=TOLERANCE, msg=lambda text: f'{what}: {text}'
    )


def of_type(value, dtype):
    """A nested dict with its floating-point numbers in that type."""
    if isinstance(value, dict):
        return {key: of_type(part, dtype) for key, part in value.items()}
    return value.to(dtype) if value.is_floating_point() else value


@pytest.mark.parametrize('training, dtype', [(False, 'float32'), (False, 'float64'), (True, 'float64')])
def test_features_and_logits(root, authors, converter, record_property, training, dtype):
    """Pooled hand, trunk and their sum of both modalities, and the logits.

    In training by the statistics of the batch; in float64, since those of so few clips magnify rounding.
    """
    torch.manual_seed(0)
    theirs = unlike_the_start(authors.MoCo('graph-based', CLASSES, pretrain=False))
    model = ours(root, converter, 'finetune', theirs.state_dict())
    dtype = getattr(torch, dtype)
    theirs.train(training).to(dtype)
    model.train(training).to(dtype)
    clips, view = (of_type(value, dtype) for value in make_clips(0))
    with torch.no_grad():
        encoded = model.encode(dict(views=[view]))
        logits = model.head(model.add_up(encoded))
        compare(logits, theirs(clips, view='all'), 'logits', record_property)
        for modality in ('joint', 'motion'):
            # once more: training moves the running statistics, which it does not use
            _, hand, trunk = theirs(clips, view=modality, extract_feat=True)
            overall = model.add_up(encoded)[modality]
            for what, found, expected in (
                ('hand', encoded[modality]['hand'], hand),
                ('trunk', encoded[modality]['trunk'], trunk),
                ('overall', overall, hand + trunk),
            ):
                compare(found, expected, f'{modality} {what}', record_property)


def test_losses(root, authors, converter, record_property):
    """Every term of a pre-training step, over full banks, by key encoders that are not the query encoders."""
    torch.manual_seed(0)
    theirs = authors.MoCo(
        'graph-based',
        128,
        K=16384,
        m=0.999,
        T=0.07,
        topk=8192,
        mlp=True,
        inter_dist=True,
        topk_part=1024,
        K_part=8192,
    )
    unlike_the_start(theirs).train()
    model = ours(root, converter, 'pretrain', theirs.state_dict()).train()
    (query, query_view), (key, key_view) = make_clips(0), make_clips(1)
    with torch.no_grad():
        logits, logits_motion, labels, transfer, *parts, consistency = theirs(query, key, self_dist=True)
        losses = model.losses(dict(views=[query_view, key_view]))
    hand, trunk, hand_motion, trunk_motion = parts
    for modality, terms in (
        ('joint', (logits, hand, trunk)),
        ('motion', (logits_motion, hand_motion, trunk_motion)),
    ):
        expected = sum(F.cross_entropy(term, labels) for term in terms)
        compare(losses[f'loss_contrast_{modality}'], expected, f'contrast {modality}', record_property)
    found = losses['loss_consistency_joint'] + losses['loss_consistency_motion']
    compare(found, consistency, 'consistency', record_property)
    compare(losses['loss_transfer'], transfer, 'transfer', record_property)
    # what the step has written: banks, pointers, key encoders, running statistics; not those of the key
    # encoders, whose means hold biases that have just moved
    for name, expected in converter.convert(theirs.state_dict()).items():
        if name.startswith('key_') and name.endswith('running_mean'):
            continue
        torch.testing.assert_close(
            model.state_dict()[name].double(), expected.double(), rtol=TOLERANCE, atol=TOLERANCE, msg=name
        )
