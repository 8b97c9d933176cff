"""A narrow encoder that tells the signs of :class:`grey_extractor.GreyExtractor` apart."""

from pathlib import Path

import torch
from mmengine.config import Config

from signbert_mm.registry import MODELS

BASES = Path(__file__).resolve().parents[2] / 'configs' / '_base_'
CONFIG = """
_base_ = ['{configs}/models/signbert_pretrain.py', '{configs}/schedules/signbert_pretrain_60e.py',
    '{configs}/default_runtime.py']
_crop = [dict(type='HandCrop', layout='hands_42'), dict(type='MirrorLeftHand')]
_mask = [dict(type='MaskHandTokens'), dict(type='ZeroMissing')]
model = dict(
    embedder=dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16)), location=True),
    backbone=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=24),
    decoder=dict(in_channels=16),
    data_preprocessor=dict(train_pipeline=_crop + _mask, test_pipeline=_crop + _mask),
)
train_dataloader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='collate_poses'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='PoseDataset', store='elsewhere', layout='hands_42',
        pipeline=[dict(type='UniformTemporalSample', clip_len=4)]))
test_cfg = None
"""


def save_encoder(folder: Path) -> str:
    """Writes a checkpoint of a pre-training, whose meta has its config; gives its path."""
    config = folder / 'pretrain.py'
    config.write_text(CONFIG.format(configs=BASES))
    cfg = Config.fromfile(config)
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    for parameter in model.parameters():
        # Far from the small first weights, so that vectors differ between signs.
        parameter.data += 0.3 * torch.randn_like(parameter)
    meta = dict(cfg=cfg.pretty_text, layout='hands_42')
    torch.save(dict(meta=meta, state_dict=model.state_dict()), folder / 'encoder.pth')
    return str(folder / 'encoder.pth')
