"""Videos of even grey, an extractor that reads signs from them, and a narrow encoder."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from signbert_mm.cli.main import main
from signbert_mm.registry import MODELS

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grey_videos import EXTRACTOR, make_signs

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


@pytest.fixture(scope='session')
def encoder(tmp_path_factory, root):
    """A checkpoint of a narrow pre-training, whose meta has its config."""
    folder = tmp_path_factory.mktemp('encoder')
    config = folder / 'pretrain.py'
    config.write_text(CONFIG.format(configs=root / 'configs' / '_base_'))
    cfg = Config.fromfile(config)
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    for parameter in model.parameters():
        # Far from the small first weights, so that vectors differ between signs.
        parameter.data += 0.3 * torch.randn_like(parameter)
    meta = dict(cfg=cfg.pretty_text, layout='hands_42')
    torch.save(dict(meta=meta, state_dict=model.state_dict()), folder / 'encoder.pth')
    return str(folder / 'encoder.pth')


@pytest.fixture
def my_videos(tmp_path):
    """Twelve videos: four signs of three signers."""
    return make_signs(tmp_path / 'my_videos')


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """``run('teach', ...)``: the console command in this process and folder; gives what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['signbert-mm'])

    def call(*arguments):
        main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    level = MMLogger.get_current_instance().level
    yield call
    # The command leaves out what the libraries log; other tests read it.
    MMLogger.get_current_instance().setLevel(level)


@pytest.fixture
def taught(run, my_videos, encoder, tmp_path):
    """A folder of taught signs."""
    run('teach', my_videos, '--out', 'my_signs', '--encoder', encoder, '--extractor', EXTRACTOR)
    return tmp_path / 'my_signs'
