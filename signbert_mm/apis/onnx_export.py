"""A recogniser as one ONNX graph, from pixels to glosses."""

import json
import logging
import os
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..datasets.transforms import TemporalCropResize
from ..draws import Draws
from ..errors import ConfigError, UserModuleNotFoundError
from ..files.atomic import write_atomic
from ..layouts import get_layout
from ..models import SignRecognizer, STConsistencyRecognizer
from .input_spec import numpy_sampler
from .onnx_backend import INPUTS, METADATA_KEY, METADATA_VERSION, import_onnxruntime, with_digest
from .torch_backend import TorchBackend, spec_of_model

OPSET = 18
_INSTALL = 'install what exports: pip install -r requirements/deploy.txt'


class OnnxGraph(nn.Module):
    """What is exported: the test pipeline of the data preprocessor and the recogniser.

    Args:
        model (SignRecognizer | STConsistencyRecognizer): In evaluation mode.

    Attributes:
        outputs (list[str]): What :meth:`forward` gives: 'logits'; 'attention', where the model pools hands;
            'frames', where its pipeline resamples time, as ST-Consistency's does.

    Raises:
        ConfigError: Another model, or one of ST-Consistency whose pipeline does not resample time.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not isinstance(model, (SignRecognizer, STConsistencyRecognizer)):
            raise ConfigError(
                f'{type(model).__name__} cannot be exported; give the config and checkpoint of a '
                'SignRecognizer or an STConsistencyRecognizer'
            )
        self.model = model
        self.outputs: List[str] = ['logits', 'attention']
        if isinstance(model, STConsistencyRecognizer):
            pools_hands = any(
                'hand' in getattr(encoder, 'parts', ('hand',)) for encoder in model.encoders.values()
            )
            self.outputs = ['logits', *['attention'] * pools_hands, 'frames']
            steps = [
                step
                for view in model.data_preprocessor.test_pipeline
                for step in getattr(getattr(view, 'transforms', None), 'transforms', ())
            ]
            if not any(isinstance(step, TemporalCropResize) for step in steps):
                raise ConfigError(
                    'STConsistencyRecognizer can be exported where its graph brings clips to one length: '
                    "dict(type='TemporalCropResize', ..) first "
                    'among the transforms of MakeViews in model.data_preprocessor.test_pipeline'
                )

    @property
    def max_frames(self) -> Optional[int]:
        """The longest clip that the model takes; None = any."""
        return len(self.model.embedder.time) if isinstance(self.model, SignRecognizer) else None

    def forward(
        self, keypoints: Tensor, scores: Tensor, length: Tensor, image_size: Tensor
    ) -> Tuple[Tensor, ...]:
        """Logits (B, classes), attention (B, T', 2) and frames (B, T') int64, the place of each row of
        attention in the input, -1 = padding.

        Args:
            keypoints (Tensor): Shape (B, T, V, 2) float32, pixels.
            scores (Tensor): Shape (B, T, V) float32 in [0, 1]; 0 = missing.
            length (Tensor): Shape (B,) int64, real frames.
            image_size (Tensor): Shape (B, 2) float32, width and height.
        """
        inputs = dict(keypoints=keypoints, scores=scores, length=length, image_size=image_size)
        draws = Draws(0, 0, length)
        if 'frames' in self.outputs:
            inputs['frames'] = torch.arange(scores.shape[1]).expand(scores.shape[:2])
        for transform in self.model.data_preprocessor.test_pipeline:
            inputs = transform(inputs, draws)
        if 'frames' not in self.outputs:
            return self.model.head(*self.model.extract_tokens(inputs))
        logits, weights = self.model.classify(inputs, attention='attention' in self.outputs)
        real = torch.arange(inputs['frames'].shape[1]) < inputs['length'][:, None]
        frames = torch.where(real, inputs['frames'], -1)
        return (logits, frames) if weights is None else (logits, weights, frames)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """The exporter knows torch's attention, not the fused operator that inference takes instead."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def random_inputs(
    joints: int, batch: int, frames: int, seed: int = 0, missing: bool = True
) -> Dict[str, np.ndarray]:
    """Inputs of the graph for checks: hands and joints that are missing, padding and, with ``missing``, a
    clip without anything.

    Args:
        joints (int): V.
        batch (int): B.
        frames (int): T.
        seed (int): Of the numbers.
        missing (bool): Nothing is found in the first clip.
    """
    random = np.random.RandomState(seed)
    scores = random.uniform(0.05, 1, (batch, frames, joints)) * (
        random.uniform(size=(batch, frames, joints)) < 0.9
    )
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


def export_onnx(model: nn.Module, path: Union[str, 'os.PathLike[str]']) -> None:
    """Writes the graph, with batch and length free, and the metadata that :class:`OnnxBackend` reads.

    Args:
        model (SignRecognizer | STConsistencyRecognizer): As :func:`init_model` gives it, on the CPU.
        path (str | Path): The file, written whole or not at all.

    Raises:
        ConfigError: The model is another one, or its test data needs more than a temporal transform that
            numpy knows.
        ModuleNotFoundError: onnx or onnxscript is not installed.
    """
    graph = OnnxGraph(model).eval()
    spec, steps = spec_of_model(model)
    if steps:
        raise ConfigError(
            f'the test pipeline of the data set does more than sample time: {steps}; move it '
            'to model.data_preprocessor.test_pipeline'
        )
    numpy_sampler(spec.temporal)  # refuses one that numpy does not know
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserModuleNotFoundError(f'{error.name} is not installed; {_INSTALL}') from error

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
        graph(*tensors)  # what transforms make at first use are then no stand-ins of the exporter
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
    write_atomic(with_digest(proto.SerializeToString()), path)


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


def largest_difference(
    model: nn.Module, path: Union[str, 'os.PathLike[str]'], inputs: Dict[str, np.ndarray]
) -> float:
    """Between torch and onnxruntime, over all outputs for the same inputs.

    Args:
        model (SignRecognizer | STConsistencyRecognizer): What was exported.
        path (str | Path): Where to.
        inputs (dict): As :func:`random_inputs` makes them.
    """
    session: Any = import_onnxruntime().InferenceSession(os.fspath(path), providers=['CPUExecutionProvider'])
    graph = OnnxGraph(model).eval()
    with torch.no_grad():
        expected = graph(*(torch.from_numpy(inputs[name]) for name in INPUTS))
    found = session.run(graph.outputs, {name: inputs[name] for name in INPUTS})
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, found))


def clips_of(backend: TorchBackend, clips: list) -> Dict[str, np.ndarray]:
    """Real clips as inputs of the graph."""
    inputs = backend.batch(clips)['inputs']
    return {name: inputs[name].numpy() for name in INPUTS}
