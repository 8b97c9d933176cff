"""Exports a recogniser as one ONNX graph, from pixels to logits."""

import json
import logging
import os
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterator, NamedTuple, Optional, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..datasets.transforms.base import run_steps, steps_in
from ..draws import Draws
from ..errors import ConfigError
from ..extras import need
from ..files.atomic import write_atomic
from ..layouts import get_layout
from .onnx_backend import (
    INPUTS,
    METADATA_KEY,
    METADATA_VERSION,
    check_steady,
    import_onnxruntime,
    with_digest,
)
from .rejection import KEY as REJECTION_KEY
from .torch_backends import TorchBackend, glosses_of, rejection_of, spec_of_model

OPSET = 18


class OnnxGraph(nn.Module):
    """The module to export: the data preprocessor's test pipeline and the recogniser.

    Args:
        model (BaseRecognizer): In evaluation mode.

    Attributes:
        outputs (list[str]): Names of what :meth:`forward` returns: 'logits'; 'attention', where the model
            pools hands; 'frames', where its pipeline resamples time, as ST-Consistency's does; 'known_odds',
            where its head has outputs for what is outside of the vocabulary.
        max_frames (int, optional): The longest clip that the model takes; None = any.

    Raises:
        ConfigError: The model cannot be exported, or it takes clips of one length and its pipeline does not
            resample them to it.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        name = type(model).__name__
        if not getattr(model, 'exportable', False):
            raise ConfigError(
                f'{name} cannot be exported; give the config and checkpoint of a recogniser, such as '
                'SignRecognizer or STConsistencyRecognizer'
            )
        self.model = model
        resamples = any(
            getattr(step, 'resamples', False) for step in steps_in(model.data_preprocessor.test_pipeline)
        )
        if model.one_length and not resamples:
            raise ConfigError(
                f'{name} can be exported where its graph brings clips to one length: '
                "dict(type='TemporalCropResize', ..) first among the transforms of MakeViews in "
                'model.data_preprocessor.test_pipeline'
            )
        rejects = bool(model.num_unknown)
        self.outputs = ['logits', *['attention'] * model.attends, *['frames'] * resamples]
        self.outputs += ['known_odds'] * rejects
        self.max_frames: Optional[int] = model.max_frames

    def forward(
        self, keypoints: Tensor, scores: Tensor, length: Tensor, image_size: Tensor
    ) -> Tuple[Tensor, ...]:
        """Classifies poses.

        Args:
            keypoints (Tensor): Shape (B, T, V, 2) float32, pixels.
            scores (Tensor): Shape (B, T, V) float32 in [0, 1]; 0 = missing.
            length (Tensor): Shape (B,) int64, real frames.
            image_size (Tensor): Shape (B, 2) float32, width and height.

        Returns:
            tuple[Tensor, ...]: Those of ``outputs``: logits (B, classes), attention (B, T', 2) and frames
            (B, T') int64, the input frame of each row of attention, -1 = padding, and the log odds (B,) that
            the clip shows one of the glosses.
        """
        inputs = dict(keypoints=keypoints, scores=scores, length=length, image_size=image_size)
        # Transforms need draws. A recogniser's test pipeline uses none, so any clip indices serve.
        draws = Draws(0, 0, length)
        if 'frames' in self.outputs:
            inputs['frames'] = torch.arange(scores.shape[1]).expand(scores.shape[:2])
        inputs = run_steps(self.model.data_preprocessor.test_pipeline, inputs, draws)
        logits, weights = self.model.classify(inputs, attention='attention' in self.outputs)
        logits, odds = self.model.split_unknown(logits)
        results = dict(logits=logits, attention=weights, known_odds=odds)
        if 'frames' in self.outputs:
            valid = torch.arange(inputs['frames'].shape[1]) < inputs['length'][:, None]
            results['frames'] = torch.where(valid, inputs['frames'], -1)
        return tuple(results[name] for name in self.outputs)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Switches torch's fused attention off, which the exporter does not know."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def random_inputs(
    joints: int, batch: int, frames: int, seed: int = 0, missing: bool = True
) -> Dict[str, np.ndarray]:
    """Random inputs of the graph for checks, with missing joints, missing hands and padding.

    Args:
        joints (int): V.
        batch (int): B.
        frames (int): T.
        seed (int): Seed of the numbers.
        missing (bool): The first clip has no joint at all.
    """
    random = np.random.RandomState(seed)
    scores = random.uniform(0.05, 1, (batch, frames, joints)) * (
        random.uniform(size=(batch, frames, joints)) < 0.9
    )
    # Whole hands, runs of 21 joints, are missing in 30 % of the frames.
    for start in range(0, joints - 20, 21):
        scores[:, :, start : start + 21] *= random.uniform(size=(batch, frames, 1)) < 0.7
    if missing:
        scores[0] = 0
    length = random.randint(1, frames + 1, batch)
    scores *= (np.arange(frames) < length[:, None])[..., None]
    keypoints = random.uniform(0, 480, (batch, frames, joints, 2)) * (scores > 0)[..., None]
    size = np.tile(np.float32([640, 480]), (batch, 1))
    return dict(
        keypoints=keypoints.astype(np.float32),
        scores=scores.astype(np.float32),
        length=length.astype(np.int64),
        image_size=size,
    )


class GraphFile(NamedTuple):
    """An exported graph, and the metadata that :class:`OnnxBackend` reads.

    Attributes:
        proto (onnx.ModelProto): The graph.
        meta (dict): The metadata.
    """

    proto: Any
    meta: Dict[str, Any]

    def save(self, path: Union[str, 'os.PathLike[str]']) -> None:
        """Writes the file whole or not at all, with a checksum."""
        onnx = need('onnx', 'exporting to ONNX', 'deploy')
        onnx.helper.set_model_props(self.proto, {METADATA_KEY: json.dumps(self.meta, ensure_ascii=False)})
        onnx.checker.check_model(self.proto)
        write_atomic(with_digest(self.proto.SerializeToString()), path)


def export_onnx(model: nn.Module, path: Union[str, 'os.PathLike[str]']) -> GraphFile:
    """Writes the graph, with batch and length free, and the metadata that :class:`OnnxBackend` reads.

    Args:
        model (BaseRecognizer): As :func:`init_model` gives it, on the CPU.
        path (str | Path): The file, written whole or not at all.

    Returns:
        GraphFile: What was written.

    Raises:
        ConfigError: The model cannot be exported, or its test data set has more than a temporal transform.
        ValueError: The temporal transform draws.
        ModuleNotFoundError: onnx or onnxscript is not installed.
    """
    graph = OnnxGraph(model).eval()
    spec, steps = spec_of_model(model)
    if steps:
        raise ConfigError(
            f'the test pipeline of the data set does more than sample time: {steps}; move it '
            'to model.data_preprocessor.test_pipeline'
        )
    check_steady(spec.temporal)
    for package in ('onnx', 'onnxscript'):
        need(package, 'exporting to ONNX', 'deploy')
    max_frames = graph.max_frames
    example = random_inputs(get_layout(spec.layout).num_joints, batch=3, frames=min(7, max_frames or 7))
    batch, frames = torch.export.Dim('batch'), torch.export.Dim('frames', max=max_frames)
    axes = dict(
        keypoints={0: batch, 1: frames},
        scores={0: batch, 1: frames},
        length={0: batch},
        image_size={0: batch},
    )
    tensors = tuple(torch.from_numpy(example[name]) for name in INPUTS)
    with torch.no_grad(), _plain_attention(), _quiet():
        # Transforms cache tensors at first use. One plain run keeps the exporter's symbolic ones out.
        graph(*tensors)
        program = torch.onnx.export(
            graph,
            tensors,
            dynamo=True,
            dynamic_shapes=axes,
            input_names=list(INPUTS),
            output_names=graph.outputs,
            opset_version=OPSET,
            verbose=False,
        )
    meta = dict(
        version=METADATA_VERSION,
        glosses=glosses_of(model),
        input=spec._asdict(),
        joints=list(get_layout(spec.layout).joints),
        clip_len=spec.clip_len,
        max_frames=max_frames,
        precision='fp32',
    )
    rejection = rejection_of(model)
    if rejection is not None:
        meta[REJECTION_KEY] = rejection._asdict()
    proto = program.model_proto
    # Shapes inside the graph. onnxruntime infers them anew, and its quantiser refuses their names.
    del proto.graph.value_info[:]
    graph_file = GraphFile(proto, meta)
    graph_file.save(path)
    return graph_file


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the exporter's warnings.

    They concern torchvision's operators, which no graph here has, and future versions of the exporter.
    """
    loggers = [logging.getLogger(name) for name in ('torch.onnx', 'onnxscript', 'onnx_ir')]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels):
                logger.setLevel(level)


def largest_difference(
    model: nn.Module, path: Union[str, 'os.PathLike[str]'], inputs: Dict[str, np.ndarray]
) -> float:
    """The largest absolute difference of torch and onnxruntime over all outputs.

    Args:
        model (BaseRecognizer): The model that was exported.
        path (str | Path): The exported file.
        inputs (dict): As :func:`random_inputs` makes them.
    """
    session: Any = import_onnxruntime().InferenceSession(os.fspath(path), providers=['CPUExecutionProvider'])
    graph = OnnxGraph(model).eval()
    with torch.no_grad():
        expected = graph(*(torch.from_numpy(inputs[name]) for name in INPUTS))
    actual = session.run(graph.outputs, {name: inputs[name] for name in INPUTS})
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, actual))


def clips_of(backend: TorchBackend, clips: list) -> Dict[str, np.ndarray]:
    """Converts clips to inputs of the graph."""
    inputs = backend.batch(clips)['inputs']
    return {name: inputs[name].numpy() for name in INPUTS}
