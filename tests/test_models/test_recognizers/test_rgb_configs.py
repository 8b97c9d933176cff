"""The RGB networks of the papers' tables, built from their configs, take a training step."""

import pytest
import torch

from signbert_mm.draws import Draws
from signbert_mm.engine.runner import load_config
from signbert_mm.registry import MODELS

pytest.importorskip('mmaction', reason='mmaction2 is not installed')


@pytest.mark.parametrize(
    'name, shape, millions',
    [
        ('i3d-r50_32x2-b8-50e_wlasl2000', (1, 3, 8, 32, 32), 31.3),
        ('r3d-r50_32x2-b8-50e_nmfs_csl', (1, 3, 8, 32, 32), 48.4),
        ('tsm-r50_8seg-b8-50e_wlasl2000', (8, 3, 32, 32), 27.6),
        ('slowfast-r50_32x2-b8-50e_slr500', (1, 3, 32, 32, 32), 34.8),
    ],
)
def test_training_step(root, name, shape, millions):
    torch.manual_seed(0)
    cfg = load_config(str(root / 'configs' / 'fusion' / f'{name}.py'))
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert sum(parameter.numel() for parameter in model.parameters()) / 1e6 == pytest.approx(
        millions, abs=0.1
    )
    imgs = torch.randint(0, 256, (2, *shape), dtype=torch.uint8)
    batch = dict(
        imgs=imgs, label=torch.tensor([1, 3]), index=torch.arange(2), length=torch.ones(2, dtype=torch.int64)
    )
    for transform in model.data_preprocessor.train_pipeline:
        batch = transform(batch, Draws(0, 0, batch['index']))
    loss = model.train()(batch, mode='loss')['loss_cls']
    loss.backward()
    assert loss.isfinite() and all(parameter.grad is not None for parameter in model.parameters())
    with torch.no_grad():
        samples = model.eval()(batch, mode='predict')
    assert len(samples) == 2 and samples[0].pred_scores.shape == (cfg.model.model.cls_head.num_classes,)
