"""A recogniser as one ONNX graph, from pixels to glosses."""

import json
import logging
import os
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..draws import Draws
from ..engine.runner import ConfigError
from ..layouts import get_layout
from ..models import SignRecognizer
from .input_spec import numpy_sampler
from .onnx_backend import INPUTS, METADATA_KEY, METADATA_VERSION, OUTPUTS, import_onnxruntime
from .torch_backend import TorchBackend, spec_of_model

OPSET = 18
_INSTALL = 'install what exports: pip install -r requirements/deploy.txt'


class OnnxGraph(nn.Module):
    """What is exported: the test pipeline of the data preprocessor and the recogniser.

    Args:
        model (SignRecognizer): In evaluation mode.
    """

    def __init__(self, model: SignRecognizer) -> None:
        super().__init__()
        self.model = model

    def forward(self, keypoints: Tensor, scores: Tensor, length: Tensor, image_size: Tensor) -> Tuple[Tensor, Tensor]:
        """Logits (B, classes) and attention (B, T, 2).

        Args:
            keypoints (Tensor): Shape (B, T, V, 2) float32, pixels.
            scores (Tensor): Shape (B, T, V) float32 in [0, 1]; 0 = missing.
            length (Tensor): Shape (B,) int64, real frames.
            image_size (Tensor): Shape (B, 2) float32, width and height.
        """
        inputs = dict(keypoints=keypoints, scores=scores, length=length, image_size=image_size)
        draws = Draws(0, 0, length)
        for transform in self.model.data_preprocessor.test_pipeline:
            inputs = transform(inputs, draws)
        return self.model.head(*self.model.extract_tokens(inputs))


@contextmanager
def _plain_attention() -> Iterator[None]:
    """The exporter knows torch's attention, not the fused operator that inference takes instead."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def random_inputs(joints: int, batch: int, frames: int, seed: int = 0, missing: bool = True) -> Dict[str, np.ndarray]:
    """Inputs of the graph for checks: hands and joints that are missing, padding and, with ``missing``, a clip without anything.

    Args:
        joints (int): V.
        batch (int): B.
        frames (int): T.
        seed (int): Of the numbers.
        missing (bool): Nothing is found in the first clip.
    """
    random = np.random.RandomState(seed)
    scores = random.uniform(0.05, 1, (batch, frames, joints)) * (random.uniform(size=(batch, frames, joints)) < 0.9)
    for start in range(0, joints - 20, 21):
        scores[:, :, start : start + 21] *= random.uniform(size=(batch, frames, 1)) < 0.7
    if missing:
        scores[0] = 0
    length = random.randint(1, frames + 1, batch)
    scores *= (np.arange(frames) < length[:, None])[..., None]
    keypoints = random.uniform(0, 480, (batch, frames, joints, 2)) * (scores > 0)[..., None]
    size = np.tile(np.float32([640, 480]), (batch, 1))
    return dict(keypoints=keypoints.astype(np.float32), scores=scores.astype(np.float32), length=length.astype(np.int64), image_size=size)


def export_onnx(model: nn.Module, path: Union[str, 'os.PathLike[str]']) -> None:
    """Writes the graph, with batch and length free, and the metadata that :class:`OnnxBackend` reads.

    Args:
        model (SignRecognizer): As :func:`init_model` gives it, on the CPU.
        path (str | Path): The file.

    Raises:
        ConfigError: The model is no SignRecognizer, or its test data needs more than a temporal transform that numpy knows.
        ModuleNotFoundError: onnx or onnxscript is not installed.
    """
    if not isinstance(model, SignRecognizer):
        raise ConfigError(f'{type(model).__name__} cannot be exported; give the config and checkpoint of a SignRecognizer')
    spec, steps = spec_of_model(model)
    if steps:
        raise ConfigError(f'the test pipeline of the data set does more than sample time: {steps}; move it to model.data_preprocessor.test_pipeline')
    numpy_sampler(spec.temporal)  # refuses one that numpy does not know
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f'{error.name} is not installed; {_INSTALL}') from error

    max_frames = len(model.embedder.time)
    example = random_inputs(get_layout(spec.layout).num_joints, batch=3, frames=min(7, max_frames))
    batch, frames = torch.export.Dim('batch'), torch.export.Dim('frames', max=max_frames)
    axes = dict(keypoints={0: batch, 1: frames}, scores={0: batch, 1: frames}, length={0: batch}, image_size={0: batch})
    with torch.no_grad(), _plain_attention(), _quiet():
        program = torch.onnx.export(
            OnnxGraph(model).eval(),
            tuple(torch.from_numpy(example[name]) for name in INPUTS),
            dynamo=True,
            dynamic_shapes=axes,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            verbose=False,
        )
    proto = program.model_proto
    meta = dict(
        version=METADATA_VERSION,
        glosses=list((getattr(model, 'dataset_meta', None) or {}).get('glosses') or []),
        input=spec._asdict(),
        joints=list(get_layout(spec.layout).joints),
        clip_len=spec.clip_len,
        max_frames=max_frames,
    )
    onnx.helper.set_model_props(proto, {METADATA_KEY: json.dumps(meta, ensure_ascii=False)})
    onnx.checker.check_model(proto)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    onnx.save(proto, os.fspath(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of torchvision's operators, which no graph here has, and of its own future."""
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


def largest_difference(model: nn.Module, path: Union[str, 'os.PathLike[str]'], inputs: Dict[str, np.ndarray]) -> float:
    """Between torch and onnxruntime, over logits and attention of the same inputs.

    Args:
        model (SignRecognizer): What was exported.
        path (str | Path): Where to.
        inputs (dict): As :func:`random_inputs` makes them.
    """
    session: Any = import_onnxruntime().InferenceSession(os.fspath(path), providers=['CPUExecutionProvider'])
    with torch.no_grad():
        expected = OnnxGraph(model).eval()(*(torch.from_numpy(inputs[name]) for name in INPUTS))
    found = session.run(list(OUTPUTS), {name: inputs[name] for name in INPUTS})
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, found))


def clips_of(backend: TorchBackend, clips: list) -> Dict[str, np.ndarray]:
    """Real clips as inputs of the graph."""
    inputs = backend.batch(clips)['inputs']
    return {name: inputs[name].numpy() for name in INPUTS}
