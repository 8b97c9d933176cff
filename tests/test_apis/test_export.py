"""The exported recogniser against torch, and as a backend."""

import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from api_toys import SCORES, up_to_rounding
from mmengine.config import Config

from signbert_mm.apis import PoseClip, SignInferencer, init_model
from signbert_mm.apis.input import InputReader
from signbert_mm.apis.onnx_backend import DIGEST_KEY
from signbert_mm.apis.torch_backends import spec_of_model
from signbert_mm.engine.runner import ConfigError

onnx = pytest.importorskip('onnx', reason='onnx is not installed: pip install -r requirements/deploy.txt')
pytest.importorskip(
    'onnxruntime', reason='onnxruntime is not installed: pip install -r requirements/deploy.txt'
)
pytest.importorskip(
    'onnxscript', reason='onnxscript is not installed: pip install -r requirements/deploy.txt'
)
from signbert_mm.apis.export import (  # noqa: E402
    GraphFile,
    clips_of,
    export_onnx,
    largest_difference,
    random_inputs,
)


@pytest.fixture(scope='module')
def recogniser(house, tmp_path_factory):
    """The narrow recogniser, which sees a clip as two views here: (config path, checkpoint path)."""
    config, checkpoint = house['recogniser']
    file = tmp_path_factory.mktemp('views') / 'views.py'
    file.write_text(f'_base_ = {str(config)!r}\nmodel = dict(test_views=2)\n')
    return str(file), checkpoint


@pytest.fixture(scope='module')
def inferencer(recogniser):
    return SignInferencer(*recogniser, device='cpu')


@pytest.fixture(scope='module')
def exported(recogniser, house, root):
    """The narrow recogniser, and its graph, from the command line; the tool checks it on random input and on
    the store's clips.
    """
    path = house['folder'] / 'out' / 'narrow.onnx'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', ['export_onnx.py', *recogniser, str(path)])
        runpy.run_path(str(root / 'tools' / 'deployment' / 'export_onnx.py'), run_name='__main__')
    return init_model(*recogniser), str(path)


@pytest.mark.parametrize('batch, frames', [(1, 1), (1, 6), (2, 40), (17, 3)])
def test_random_input(exported, batch, frames):
    for missing in (True, False):  # the first clip shows nothing at all
        inputs = random_inputs(49, batch, frames, seed=frames, missing=missing)
        assert largest_difference(*exported, inputs) < 1e-5


def test_no_hand_is_no_answer(exported):
    found = SignInferencer(exported[1], backend='onnx')(
        np.zeros((5, 49, 3)), layout='sign_49', image_size=(640, 480)
    )['predictions'][0]
    assert (
        found['glosses'] == []
        and 'no person was found in any of the 5 frames' in found['reason']
        and not found['all_scores'].any()
    )


def test_padding_and_missing_hands_do_not_count(exported):
    import onnxruntime

    session = onnxruntime.InferenceSession(exported[1])
    inputs = random_inputs(49, 3, 6, missing=False)
    inputs['length'][:] = 4
    logits, attention = session.run(None, inputs)
    assert (attention[:, 4:] == 0).all() and np.allclose(attention.sum((1, 2)), 1, atol=1e-5)
    found = (inputs['scores'][:, :4, :42].reshape(3, 4, 2, 21) > 0.1).sum(-1) >= 10
    assert (attention[:, :4][~found] == 0).all()
    noise = {name: value.copy() for name, value in inputs.items()}
    noise['keypoints'][:, 4:] = 999
    noise['keypoints'][noise['scores'] == 0] = -50
    assert np.allclose(session.run(None, noise)[0], logits, atol=1e-6)


def test_real_clips(exported, inferencer, shared):
    data = np.load(shared / 'data' / 'asl_words33.npz')
    clips = []
    for place in range(0, 4634, 331):
        hands = data['hands'][place].astype(np.float32).reshape(20, 42, 2) * [640, 480]
        clips.append(PoseClip.make(hands[: data['length'][place]], 'hands_42', (640, 480)))
    assert largest_difference(*exported, clips_of(inferencer.backend, clips)) < 1e-4


def test_backend(exported, inferencer, store, monkeypatch):
    deployed = SignInferencer(exported[1], backend='onnx', threads=1)
    expected, (_, windows, *_) = inferencer(store)['predictions'], inferencer.segments(store)
    # nothing of torch's networks runs
    monkeypatch.setattr(torch.nn.Module, '__call__', None)
    found = deployed(store, batch_size=5)['predictions']
    assert deployed.glosses == inferencer.glosses and deployed.backend.spec == inferencer.backend.spec
    for a, b in zip(found, expected):
        assert a['glosses'] == b['glosses'] and np.array_equal(a['frames'], b['frames'])
        assert np.allclose(a['all_scores'], b['all_scores'], rtol=0, atol=SCORES)
        assert np.allclose(a['attention'], b['attention'], rtol=0, atol=SCORES)
    assert deployed.segments(store)[1]['windows'] == up_to_rounding(windows['windows'])
    with pytest.raises(ConfigError, match='a dictionary needs a model in torch'):
        deployed.embed(store)


def test_a_graph_that_onnxruntime_can_quantise_is_smaller_and_alike(exported, inferencer, store, tmp_path):
    from signbert_mm.apis.export import GraphFile
    from signbert_mm.apis.precision import convert, measure_loss

    proto = onnx.load(exported[1])
    # The quantiser refuses the names of dimensions that the exporter gives to shapes inside the graph.
    assert not proto.graph.value_info
    entries = {entry.key: entry.value for entry in proto.metadata_props}
    clips = list(InputReader().clips(store, split='test'))
    for precision, agreement in (('fp16', 1.0), ('int8', 0.8)):
        convert(GraphFile(proto, json.loads(entries['signbert_mm'])), precision).save(tmp_path / 'low.onnx')
        loss = measure_loss(inferencer.backend, exported[1], tmp_path / 'low.onnx', clips)
        assert loss['agreement'] >= agreement and loss['clips'] == 9, (precision, loss)
        assert os.path.getsize(tmp_path / 'low.onnx') < os.path.getsize(exported[1])


def test_metadata(exported):
    meta = json.loads(
        {entry.key: entry.value for entry in onnx.load(exported[1]).metadata_props}['signbert_mm']
    )
    assert (
        meta['glosses'] == ['hello', 'water', 'tea', 'no']
        and meta['clip_len'] == 6
        and meta['max_frames'] == 40
        and len(meta['joints']) == 49
    )
    assert (
        meta['input']['temporal'] == dict(type='UniformTemporalSample', clip_len=6, test_mode=True)
        and meta['input']['layout'] == 'sign_49'
    )


def test_the_frame_rate_of_the_training_clips(exported, house, tmp_path):
    model = init_model(*house['recogniser'])
    assert spec_of_model(model)[0].fps is None
    model.dataset_meta['fps'] = 25.0
    assert spec_of_model(model)[0].fps == 25
    graph = onnx.load(exported[1])
    meta = json.loads({entry.key: entry.value for entry in graph.metadata_props}['signbert_mm'])
    for fps in (25.0, None):
        meta['input'].pop('fps')
        meta['input'].update(dict(fps=fps) if fps else {})  # files that are older have no such entry
        onnx.helper.set_model_props(graph, dict(signbert_mm=json.dumps(meta)))
        onnx.save(graph, str(tmp_path / 'm.onnx'))
        meta['input'].setdefault('fps', None)
        deployed = SignInferencer(tmp_path / 'm.onnx', backend='onnx')
        assert deployed.backend.spec.fps == deployed.reader.fps == fps


def test_a_flipped_bit_is_found_and_a_file_without_a_checksum_opens(
    exported, inferencer, tmp_path, monkeypatch
):
    whole = Path(exported[1]).read_bytes()
    for place in (len(whole) // 3, len(whole) // 2, len(whole) - 3):
        data = bytearray(whole)
        data[place] ^= 4
        (tmp_path / 'flipped.onnx').write_bytes(data)
        with pytest.raises(ValueError, match=r'flipped\.onnx .*damaged, its checksum differs'):
            SignInferencer(tmp_path / 'flipped.onnx', backend='onnx')
    graph = onnx.load(exported[1])  # protobuf reads the entry as any other
    assert [entry.key for entry in graph.metadata_props][-1] == DIGEST_KEY
    del graph.metadata_props[-1]  # as older versions wrote them
    onnx.save(graph, str(tmp_path / 'old.onnx'))
    assert SignInferencer(tmp_path / 'old.onnx', backend='onnx').backend.glosses


def test_an_export_is_written_whole_or_not_at_all(exported, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, 'No space left on device')

    graph = GraphFile(onnx.load(exported[1]), dict(version=1))
    (tmp_path / 'x.onnx').write_bytes(b'old')
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match=r'No space left on device: .*x\.onnx'):
        graph.save(tmp_path / 'x.onnx')
    assert os.listdir(tmp_path) == ['x.onnx'] and (tmp_path / 'x.onnx').read_bytes() == b'old'


def test_refusals(exported, house, tmp_path):
    with pytest.raises(FileNotFoundError, match='export one'):
        SignInferencer(tmp_path / 'absent.onnx', backend='onnx')
    (tmp_path / 'text.onnx').write_text('not a graph')
    with pytest.raises(ValueError, match='not a whole ONNX file'):
        SignInferencer(tmp_path / 'text.onnx', backend='onnx')
    graph = onnx.load(exported[1])
    del graph.metadata_props[:]
    onnx.save(graph, str(tmp_path / 'bare.onnx'))
    with pytest.raises(ValueError, match='metadata'):
        SignInferencer(tmp_path / 'bare.onnx', backend='onnx')
    with pytest.raises(ValueError, match='leave `weights` out'):
        SignInferencer(exported[1], house['recogniser'][1], backend='onnx')
    with pytest.raises(ConfigError, match='cannot be exported'):
        export_onnx(init_model(*house['pretrainer']), tmp_path / 'x.onnx')
    cfg = Config.fromfile(house['recogniser'][0])
    cfg.test_dataloader.dataset.pipeline = [dict(type='RandomTemporalSample', clip_len=6)]
    with pytest.raises(ValueError, match='it draws'):
        export_onnx(init_model(cfg, house['recogniser'][1]), tmp_path / 'x.onnx')
