"""ST-Consistency's recogniser as a graph: views, joint and motion, and time resampled inside."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from signbert_mm.apis import SignInferencer
from signbert_mm.apis.input import InputReader
from signbert_mm.apis.torch_backends import TorchBackend
from signbert_mm.engine.runner import ConfigError
from signbert_mm.registry import MODELS

onnx = pytest.importorskip('onnx', reason='onnx is not installed: pip install -r requirements/deploy.txt')
pytest.importorskip(
    'onnxruntime', reason='onnxruntime is not installed: pip install -r requirements/deploy.txt'
)
pytest.importorskip(
    'onnxscript', reason='onnxscript is not installed: pip install -r requirements/deploy.txt'
)
from signbert_mm.apis.export import clips_of, export_onnx, largest_difference, random_inputs  # noqa: E402

CONFIG = """
_base_ = ['{configs}/models/st_consistency_recognizer.py']
_embedder = dict(gesture=dict(joint_channels=(8,), part_channels=(16,)), channels=16, num_blocks=1)
_backbone = dict(num_layers=1, num_heads=2, feedforward_channels=24)
_input = [dict(type='HandCrop', layout='sign_49'), dict(type='NormalizeTrunk', layout='sign_49')]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing', threshold=0.5), dict(type='Motion',
    zero='last')]
_test = {resize} + _input + _output
model = dict(
    encoder=dict(
        parts={parts}, hand_embedder=_embedder, trunk_embedder=_embedder,
        hand_backbone=dict(_backbone, embed_dims=32), trunk_backbone=dict(_backbone, embed_dims=16),
    ),
    head=dict(in_channels=16, num_classes=4),
    data_preprocessor=dict(test_pipeline=[dict(type='MakeViews', transforms=_test)]),
)
_frames = [dict(type='UniformTemporalSample', clip_len=20, test_mode=True, repeat=False)]
test_dataloader = dict(dataset=dict(type='PoseDataset', store='{store}', split='test', test_mode=True,
    pipeline=_frames))
"""
RESIZE = "[dict(type='TemporalCropResize', clip_len=8, ratio=0.95, min_frames=4, centre=True)]"


@pytest.fixture(scope='module')
def exported(house, root, tmp_path_factory):
    """``exported(resize=.., parts=..)``: a narrow recogniser far from its first weights, and its graph."""
    made = {}

    def make(resize=RESIZE, parts=('hand', 'trunk')):
        if (resize, parts) not in made:
            folder = tmp_path_factory.mktemp('st_onnx')
            (folder / 'st.py').write_text(
                CONFIG.format(
                    configs=root / 'configs' / '_base_', store=house['store'], resize=resize, parts=parts
                )
            )
            cfg = Config.fromfile(folder / 'st.py')
            torch.manual_seed(1)
            model = MODELS.build(cfg.model).eval()
            for parameter in model.parameters():
                parameter.data += 0.3 * torch.randn_like(parameter)
            model.cfg, model.dataset_meta = cfg, dict(glosses=['hello', 'water', 'tea', 'no'])
            export_onnx(model, folder / 'st.onnx')
            made[resize, parts] = model, str(folder / 'st.onnx')
        return made[resize, parts]

    return make


def same(backend, path, clips):
    deployed = SignInferencer(path, backend='onnx', threads=1).backend
    assert (
        deployed.spec == backend.spec and deployed.glosses == backend.glosses and deployed.max_frames is None
    )
    for a, b in zip(deployed.predict(clips), backend.predict(clips)):
        assert np.allclose(a['scores'], b['scores'], atol=1e-5) and np.array_equal(a['frames'], b['frames'])
        assert (a['attention'] is None) == (b['attention'] is None)
        assert a['attention'] is None or np.allclose(a['attention'], b['attention'], atol=1e-5)
    return deployed


def test_time_resampled_in_the_graph(exported, house):
    model, path = exported()
    for batch, frames in ((1, 1), (1, 6), (2, 40), (9, 3)):
        for missing in (True, False):
            assert (
                largest_difference(
                    model, path, random_inputs(49, batch, frames, seed=frames, missing=missing)
                )
                < 1e-5
            )
    backend = TorchBackend(model, 'cpu')
    clips = list(InputReader().clips(house['store'], split='test'))
    assert largest_difference(model, path, clips_of(backend, clips)) < 1e-5
    same(backend, path, clips)
    meta = json.loads({entry.key: entry.value for entry in onnx.load(path).metadata_props}['signbert_mm'])
    assert meta['max_frames'] is None and [value.name for value in onnx.load(path).graph.output] == [
        'logits',
        'attention',
        'frames',
    ]


def test_lengths_that_would_be_open_are_refused(exported):
    with pytest.raises(ConfigError, match='brings clips to one length.*TemporalCropResize'):
        exported('[]')
