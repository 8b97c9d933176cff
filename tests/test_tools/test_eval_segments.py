"""tools/analysis_tools/eval_segments.py, on models that the test makes."""

import json

import pytest
import torch
from mmengine.config import Config
from pose_store_fixtures import write_store

from signbert_mm.registry import MODELS

COMMON = """
_crop = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand'), dict(type='ZeroMissing')]
_gesture = dict(type='GestureGCN', joint_channels=(4, 8), part_channels=(8, 16))
_parts = dict(
    embedder=dict(type='HandTokenEmbedder', gesture=_gesture),
    backbone=dict(type='HandTransformer', embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=24),
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_crop, test_pipeline=_crop),
)
_clips = dict(type='PoseDataset', store={store!r})
_loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
_loader.update(collate_fn=dict(type='collate_poses'))
"""
SEGMENTER = """
model = dict(type='SignSegmenter', head=dict(type='SegmentHead', in_channels=16, channels=8), **_parts)
_videos = dict(type='SplicedSigns', dataset=dict(_clips, drop_empty_frames=False), signs=2, length=2)
val_dataloader = dict(_loader, dataset=_videos)
test_dataloader = dict(_loader, dataset=dict(_videos, length=3))
"""
RECOGNISER = """
model = dict(type='SignRecognizer', head=dict(type='SignHead', in_channels=16, num_classes=3), **_parts)
_sample = dict(type='UniformTemporalSample', clip_len=6, test_mode=True)
test_dataloader = dict(_loader, dataset=dict(_clips, pipeline=[_sample], test_mode=True))
"""


@pytest.fixture
def models(tmp_path):
    """Config and checkpoint of a segmenter, then of a recogniser."""
    write_store(tmp_path / 'clips', (12, 30, 9, 16))
    files = []
    for name, text in (('segmenter', SEGMENTER), ('recogniser', RECOGNISER)):
        config, checkpoint = tmp_path / f'{name}.py', tmp_path / f'{name}.pth'
        config.write_text(COMMON.format(store=str(tmp_path / 'clips')) + text)
        torch.manual_seed(0)
        weights = MODELS.build(Config.fromfile(config).model).state_dict()
        meta = dict(glosses=['a', 'b', 'c'], layout='sign_49', fps=12.5)
        torch.save(dict(meta=meta, state_dict=weights), checkpoint)
        files += [config, checkpoint]
    return files


def test_the_table_has_the_segmenter_and_windows(models, run_tool, tmp_path, capsys):
    run_tool('analysis_tools/eval_segments.py', *models, '--json', tmp_path / 'figures.json')
    text = capsys.readouterr().out
    assert '3 videos, 6 signs' in text and 'windows, default: window, stride, enter, leave = (2.0' in text
    figures = json.loads((tmp_path / 'figures.json').read_text())['figures']
    assert list(figures) == [
        'segmenter',
        'windows, default',
        'windows, best F1 on val',
        'windows, best F1 with gloss on val',
    ]
    assert all(row['true'] == 6 and 0 <= row['gloss_f1'] <= row['f1'] <= 1 for row in figures.values())


def test_without_a_search(models, run_tool, capsys):
    run_tool('analysis_tools/eval_segments.py', *models, '--no-search')
    assert 'best F1' not in capsys.readouterr().out


def test_a_recogniser_is_no_segmenter(models, run_tool):
    with pytest.raises(SystemExit, match='finds no signs in time'):
        run_tool('analysis_tools/eval_segments.py', *models[2:], *models[2:])
