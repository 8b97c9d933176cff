"""A model.onnx that needs neither torch nor an export."""

import json

import numpy as np
import pytest
from api_toys import GLOSSES

from signbert_mm.apis.onnx_backend import METADATA_KEY, METADATA_VERSION, with_digest
from signbert_mm.layouts import get_layout

INPUT = dict(
    layout='hands_42',
    drop_empty_frames=True,
    stand_ins=False,
    side='',
    temporal=dict(type='UniformTemporalSample', clip_len=6, test_mode=True),
    fps=None,
)
WEIGHT = np.random.RandomState(0).normal(0, 0.001, (84, 4)).astype(np.float32)


def make_proto(**changes):
    """logits = the mean of the keypoints over frames, times WEIGHT.

    ``changes`` go into the metadata.
    """
    onnx = pytest.importorskip('onnx', reason='onnx is not installed: pip install -r requirements/deploy.txt')
    helper, kinds = onnx.helper, onnx.TensorProto
    shapes = dict(
        keypoints=['batch', 'frames', 42, 2],
        scores=['batch', 'frames', 42],
        length=['batch'],
        image_size=['batch', 2],
    )
    inputs = [
        helper.make_tensor_value_info(name, kinds.INT64 if name == 'length' else kinds.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node('ReduceMean', ['keypoints', 'axis'], ['mean'], keepdims=0),
        helper.make_node('Reshape', ['mean', 'flat'], ['row']),
        helper.make_node('MatMul', ['row', 'weight'], ['logits']),
    ]
    arrays = dict(axis=np.array([1]), flat=np.array([-1, 84]), weight=WEIGHT)
    graph = helper.make_graph(
        nodes,
        'toy',
        inputs,
        [helper.make_tensor_value_info('logits', kinds.FLOAT, ['batch', 4])],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    meta = dict(
        version=METADATA_VERSION,
        glosses=GLOSSES,
        input=INPUT,
        joints=list(get_layout('hands_42').joints),
        clip_len=6,
        max_frames=None,
        precision='fp32',
    )
    return proto, dict(meta, **changes)


def write_toy(path, **changes):
    """The file, and its path as text."""
    proto, meta = make_proto(**changes)
    import onnx

    onnx.helper.set_model_props(proto, {METADATA_KEY: json.dumps(meta)})
    path.write_bytes(with_digest(proto.SerializeToString()))
    return str(path)


def expected_scores(keypoints):
    """Of a clip's chosen keypoints (L, 42, 2), in float64."""
    logits = keypoints.astype(np.float64).mean(0).reshape(-1) @ WEIGHT.astype(np.float64)
    scores = np.exp(logits - logits.max())
    return scores / scores.sum()
