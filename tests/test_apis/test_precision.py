"""Graphs of 16 and 8 bits against the one in fp32."""

from types import SimpleNamespace

import numpy as np
import pytest
from api_toys import SCORES, poses
from toy_graph import WEIGHT, make_proto, write_toy

from signbert_mm.apis import PoseClip, SignInferencer
from signbert_mm.apis.onnx_backend import OnnxBackend

for _package in ('onnx', 'onnxruntime'):
    pytest.importorskip(
        _package, reason=f'{_package} is not installed: pip install -r requirements/deploy.txt'
    )
from signbert_mm.apis.export import GraphFile  # noqa: E402
from signbert_mm.apis.precision import convert, measure_loss  # noqa: E402

CLIPS = [
    PoseClip.make(poses(8 + seed, seed, joints=42), 'hands_42', (640, 480), label=seed % 4)
    for seed in range(1, 70)
]


def scores(path):
    return np.stack([row['scores'] for row in OnnxBackend(path, threads=1).predict(CLIPS)])


@pytest.fixture
def converted(tmp_path):
    """``converted(precision)``: the toy graph in it, its path, and the scores of the one in fp32."""

    def make(precision):
        graph = convert(GraphFile(*make_proto()), precision)
        graph.save(tmp_path / f'{precision}.onnx')
        return graph, str(tmp_path / f'{precision}.onnx'), scores(write_toy(tmp_path / 'fp32.onnx'))

    return make


def test_fp16_stores_weights_in_16_bits_and_computes_in_32(converted):
    import onnx

    graph, path, expected = converted('fp16')
    stored = {tensor.name: tensor for tensor in graph.proto.graph.initializer}
    assert stored['weight_fp16'].data_type == onnx.TensorProto.FLOAT16 and 'weight' not in stored
    # The inputs, in pixels, keep 32 bits: a difference would be that of the weights alone.
    rounded = WEIGHT.astype(np.float16).astype(np.float64)
    rows = OnnxBackend(path).predict(CLIPS)
    for clip, row in zip(CLIPS, rows):
        if row['reason']:
            continue
        logits = clip.keypoints[row['frames']].astype(np.float64).mean(0).reshape(-1) @ rounded
        exact = np.exp(logits - logits.max())
        assert np.allclose(row['scores'], exact / exact.sum(), rtol=0, atol=SCORES)
    assert np.abs(scores(path) - expected).max() < 0.01


def test_int8(converted):
    graph, path, expected = converted('int8')
    kinds = {node.op_type for node in graph.proto.graph.node}
    assert 'MatMulInteger' in kinds and 'MatMul' not in kinds
    assert 0 < np.abs(scores(path) - expected).max() < 0.1
    assert SignInferencer(path).backend.precision == 'int8'


def test_the_graph_that_is_converted_stays(tmp_path):
    graph = GraphFile(*make_proto())
    before = graph.proto.SerializeToString()
    for precision in ('fp16', 'int8'):
        convert(graph, precision)
        assert graph.proto.SerializeToString() == before and graph.meta['precision'] == 'fp32'


def test_weights_beyond_16_bits_stay(tmp_path):
    import onnx

    proto, meta = make_proto()
    large = onnx.numpy_helper.from_array(WEIGHT * np.float32(1e8), 'weight')
    proto.graph.initializer[2].CopyFrom(large)
    stored = convert(GraphFile(proto, meta), 'fp16').proto.graph.initializer[2]
    assert stored.name == 'weight' and stored.data_type == onnx.TensorProto.FLOAT


def test_refusals():
    with pytest.raises(ValueError, match="precision is 'int4'; choose one of fp16, int8"):
        convert(GraphFile(*make_proto()), 'int4')
    with pytest.raises(ValueError, match='the graph is in int8 already'):
        convert(GraphFile(*make_proto(precision='int8')), 'fp16')


def test_what_is_lost(converted, tmp_path):
    _, path, expected = converted('int8')
    reference = write_toy(tmp_path / 'fp32.onnx')
    torch_like = SimpleNamespace(run=lambda clips, first: OnnxBackend(reference).run(clips))
    loss = measure_loss(torch_like, reference, path, CLIPS)
    low = np.stack([row['scores'] for row in OnnxBackend(path).run(CLIPS)])
    fp32 = np.stack([row['scores'] for row in OnnxBackend(reference).run(CLIPS)])
    labels = np.array([clip.label for clip in CLIPS])
    assert loss['clips'] == len(CLIPS)
    assert loss['agreement'] == np.mean(low.argmax(-1) == fp32.argmax(-1))
    assert loss['accuracy'] == np.mean(low.argmax(-1) == labels)
    assert loss['accuracy_fp32'] == np.mean(fp32.argmax(-1) == labels)
    # Batches of another size add in another order.
    assert loss['largest_difference'] == pytest.approx(np.abs(low - fp32).max(), abs=SCORES)
    assert loss['largest_difference_torch'] == pytest.approx(loss['largest_difference'], abs=SCORES)
    unlabelled = [PoseClip.make(poses(9, 3, joints=42), 'hands_42', (640, 480))]
    assert 'accuracy' not in measure_loss(torch_like, reference, path, unlabelled)
