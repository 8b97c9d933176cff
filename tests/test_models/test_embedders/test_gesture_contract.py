"""The gesture encoder of docs/user_guides/own_module.md serves both methods, by config alone."""

import re
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from st_consistency_parts import make_view
from torch import nn

from signbert_mm.engine.learning_check import record_shares
from signbert_mm.models.embedders import HandTokenEmbedder, TemporalGCNEmbedder
from signbert_mm.registry import MODELS, TRANSFORMS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'test_docs'))
from doc_blocks import DOCS, blocks

NARROW = dict(dropout=0.0, num_layers=1, num_heads=2, feedforward_channels=24)


@pytest.fixture(scope='module')
def page():
    """The page's files, by name; its parts are registered as long as this module runs."""
    files = {block.file: block.code for block in blocks(DOCS / 'user_guides' / 'own_module.md', 'python')}
    before = {registry: dict(registry.module_dict) for registry in (MODELS, TRANSFORMS)}
    for registry in before:
        for name in re.findall(r'^class (\w+)', files['my_parts.py'], re.MULTILINE):
            registry.module_dict.pop(name, None)
    exec(compile(files['my_parts.py'], 'my_parts.py', 'exec'), {'__name__': 'my_parts_of_the_page'})
    yield files
    for registry, modules in before.items():
        registry.module_dict.clear()
        registry.module_dict.update(modules)


def config(page, name, root, folder, **options):
    """The page's config, its bases found and its import left out, narrow."""
    path = folder / 'page.py'
    text = page[f'configs/mine/{name}.py'].replace("'../_base_/", f"'{root}/configs/_base_/")
    path.write_text(re.sub(r'^custom_imports = .*$', '', text, flags=re.MULTILINE))
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options)
    return cfg


def gradients_of(model, inputs):
    losses = model.train()(inputs, mode='loss')
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    return {name: parameter.grad for name, parameter in model.named_parameters() if 'gesture' in name}


def test_in_signbert(page, root, tmp_path, make_batch):
    cfg = config(page, 'own_parts', root, tmp_path, **{'model.backbone': dict(NARROW)})
    model = MODELS.build(cfg.model)
    assert type(model.embedder.gesture).__name__ == 'MLPGesture'
    grads = gradients_of(model, make_batch())
    assert len(grads) == 5
    assert all(grad is not None and grad.abs().max() > 0 for grad in grads.values())


def test_its_hands_differ_before_training(page, root, tmp_path, make_batch):
    """As check_learning.py asks of every part, which the page tells its reader to run."""
    cfg = config(page, 'own_parts', root, tmp_path, **{'model.backbone': dict(NARROW)})
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.train()
    with record_shares(model) as shares:
        model(make_batch(), mode='loss')
    assert shares['embedder.gesture'] > 0.1 and shares['embedder'] > 0.1


def test_in_st_consistency(page, root, tmp_path):
    cfg = config(
        page,
        'own_gesture_st',
        root,
        tmp_path,
        **{
            'model.encoder.hand_embedder': dict(channels=16, num_blocks=1),
            'model.encoder.trunk_embedder': dict(channels=16, num_blocks=1),
            'model.encoder.hand_backbone': dict(NARROW, embed_dims=32),
            'model.encoder.trunk_backbone': dict(NARROW, embed_dims=16),
            'model.projector.in_channels': 16,
            'model.bank.size': 64,
            'model.loss_transfer.num_anchors': 16,
        },
    )
    model = MODELS.build(cfg.model)
    for encoder in model.encoders.values():
        for part in ('hand', 'trunk'):
            assert type(encoder.embedders[part].gesture).__name__ == 'MLPGesture'
    with torch.no_grad():
        for seed in range(4):  # fills the banks
            model.train()(dict(views=[make_view(8, seed=seed), make_view(8, seed=seed)]), mode='loss')
    grads = gradients_of(model, dict(views=[make_view(8, seed=9), make_view(8, seed=9)]))
    queries = {name: grad for name, grad in grads.items() if not name.startswith('key_')}
    assert len(queries) == 2 * 2 * 5  # modalities, parts, parameters
    assert all(grad is not None and grad.abs().max() > 0 for grad in queries.values())


@MODELS.register_module()
class HandsAlone(nn.Module):
    """Takes no ``valid``."""

    out_channels = 4

    def forward(self, hands):
        return hands.flatten(-2)[..., :4]


@MODELS.register_module()
class Widthless(nn.Module):
    """States no width."""

    def forward(self, points, valid):
        return points.flatten(-2)[..., :4]


@pytest.mark.parametrize('embedder', [HandTokenEmbedder, TemporalGCNEmbedder])
def test_what_does_not_keep_to_it_is_refused(embedder):
    with pytest.raises(
        ValueError, match=r'HandsAlone: a gesture encoder is called as forward\(points, valid\)'
    ):
        embedder(gesture=dict(type='HandsAlone'))
    with pytest.raises(ValueError, match='Widthless: a gesture encoder states its width as out_channels'):
        embedder(gesture=dict(type='Widthless'))
