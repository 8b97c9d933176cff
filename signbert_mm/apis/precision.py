"""Exported graphs of 16 and 8 bits, and what they lose."""

import os
import tempfile
from typing import Any, Dict, List, Sequence, Union

import numpy as np

from ..errors import UserValueError
from ..extras import need
from .clips import PoseClip
from .export import GraphFile
from .onnx_backend import OnnxBackend
from .torch_backends import TorchBackend

PRECISIONS = ('fp32', 'fp16', 'int8')
# Smaller constants take part in the geometry, in pixels, and save nothing.
_SMALLEST = 256
_BATCH = 64


def convert(graph: GraphFile, precision: str) -> GraphFile:
    """Makes a smaller graph of an exported one.

    fp16: weights are stored in 16 bits and computed with in 32. The graph begins in pixels, of which 16 bits
    hold steps of 0.5 beyond 512. int8: weights of matrix products are stored in 8 bits, and these products
    computed in integers (dynamic quantisation of onnxruntime).

    Args:
        graph (GraphFile): In fp32.
        precision (str): 'fp16' or 'int8'.

    Raises:
        ValueError: No such precision, or the graph is not in fp32.
        ModuleNotFoundError: onnx or onnxruntime is not installed.
    """
    if precision not in PRECISIONS[1:]:
        raise UserValueError(f'precision is {precision!r}; choose one of {", ".join(PRECISIONS[1:])}')
    if graph.meta.get('precision', 'fp32') != 'fp32':
        raise UserValueError(f'the graph is in {graph.meta["precision"]} already; convert one in fp32')
    proto = (_half if precision == 'fp16' else _int8)(graph.proto)
    return GraphFile(proto, dict(graph.meta, precision=precision))


def _half(proto: Any) -> Any:
    onnx = need('onnx', 'the conversion to fp16', 'deploy')
    half = type(proto)()
    half.CopyFrom(proto)
    casts = []
    for tensor in half.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < _SMALLEST:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name, stored = tensor.name, f'{tensor.name}_fp16'
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), stored))
        # onnxruntime folds this cast once, when it opens the file.
        casts.append(onnx.helper.make_node('Cast', [stored], [name], to=onnx.TensorProto.FLOAT))
    nodes = casts + list(half.graph.node)
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    return half


def _int8(proto: Any) -> Any:
    onnx = need('onnx', 'the conversion to int8', 'deploy')
    quantization = need('onnxruntime.quantization', 'the conversion to int8', 'deploy')
    with tempfile.TemporaryDirectory() as folder:
        source, target = (os.path.join(folder, name) for name in ('fp32.onnx', 'int8.onnx'))
        onnx.save(proto, source)
        # Unsigned weights: products of signed ones saturate on processors that have AVX2 and no VNNI, so
        # answers would depend on the machine.
        quantization.quantize_dynamic(
            source,
            target,
            op_types_to_quantize=['MatMul', 'Gemm'],
            per_channel=True,
            weight_type=quantization.QuantType.QUInt8,
        )
        return onnx.load(target)


def measure_loss(
    backend: TorchBackend,
    reference: Union[str, 'os.PathLike[str]'],
    path: Union[str, 'os.PathLike[str]'],
    clips: Sequence[PoseClip],
) -> Dict[str, Any]:
    """Compares a graph with the one in fp32 and with torch.

    Args:
        backend (TorchBackend): The model that was exported.
        reference (str | Path): The graph in fp32.
        path (str | Path): The graph to judge.
        clips (Sequence[PoseClip]): Clips of the test split; at least one.

    Returns:
        dict: ``clips``, their number; ``agreement``, the share of clips with the best class of the fp32
        graph; ``largest_difference`` of a class's probability from that graph's, and
        ``largest_difference_torch`` from torch's; where all clips have labels, ``accuracy`` and
        ``accuracy_fp32``.
    """
    runners = dict(torch=backend, fp32=OnnxBackend(reference), low=OnnxBackend(path))
    scores: Dict[str, List[np.ndarray]] = {name: [] for name in runners}
    for first in range(0, len(clips), _BATCH):
        for name, runner in runners.items():
            scores[name] += [row['scores'] for row in runner.run(clips[first : first + _BATCH], first)]
    torch_scores, fp32, low = (np.stack(scores[name]) for name in ('torch', 'fp32', 'low'))
    facts = dict(
        clips=len(clips),
        agreement=float((low.argmax(-1) == fp32.argmax(-1)).mean()),
        largest_difference=float(np.abs(low - fp32).max()),
        largest_difference_torch=float(np.abs(low - torch_scores).max()),
    )
    labels = np.array([clip.label for clip in clips])
    if (labels >= 0).all():
        facts.update(
            accuracy=float((low.argmax(-1) == labels).mean()),
            accuracy_fp32=float((fp32.argmax(-1) == labels).mean()),
        )
    return facts
