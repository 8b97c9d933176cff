"""A recogniser as one ONNX graph, from pixels to glosses, and what runs it."""

import hashlib
import json
import logging
import os
import warnings
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..datasets.transforms import steps_in
from ..draws import Draws
from ..engine.runner import ConfigError
from ..errors import UserModuleNotFoundError, UserValueError
from ..files.atomic import write_atomic
from ..layouts import get_layout
from ..registry import TRANSFORMS
from .backends import Backend, TorchBackend, glosses_of, spec_of_model
from .clips import InputSpec, PoseClip, make_batch

OPSET = 18
METADATA_KEY, METADATA_VERSION = 'signbert_mm', 1
INPUTS = ('keypoints', 'scores', 'length', 'image_size')
OUTPUTS = ('logits', 'attention', 'frames')
DIGEST_KEY = 'signbert_mm_blake2b'
_DIGEST_BYTES = 32
_INSTALL = 'install it: pip install -r requirements/deploy.txt'


def import_onnxruntime() -> Any:
    """onnxruntime.

    Raises:
        ModuleNotFoundError: It is not installed; says how to.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise UserModuleNotFoundError(f'onnxruntime runs exported models; {_INSTALL}') from error
    return onnxruntime


def _digest_entry(data: bytes) -> bytes:
    """``metadata_props`` of a ModelProto in protobuf's encoding: the checksum of all bytes before it, always
    as long.
    """
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest().encode()
    key = DIGEST_KEY.encode()
    entry = b'\x0a' + bytes([len(key)]) + key + b'\x12' + bytes([len(digest)]) + digest
    return b'\x72' + bytes([len(entry)]) + entry  # field 14


def with_digest(data: bytes) -> bytes:
    """An ONNX file with the checksum of its content as its last metadata entry; protobuf reads on where a
    message is continued.
    """
    return data + _digest_entry(data)


def is_damaged(data: bytes) -> bool:
    """Whether an ONNX file has a checksum at its end that is not its own; files of older versions have
    none.
    """
    length = len(_digest_entry(b''))
    return DIGEST_KEY.encode() in data[-length:] and data[-length:] != _digest_entry(data[:-length])


def check_steady(temporal: Optional[Dict[str, Any]]) -> None:
    """Refuses to sample time for a graph by draws, which would differ from run to run.

    Args:
        temporal (dict, optional): Config of a temporal transform.

    Raises:
        ValueError: It draws.
    """
    if temporal is not None and not TRANSFORMS.build(temporal).steady:
        raise UserValueError(
            f'temporal transform {temporal}: it draws, and an exported model takes only what does not, such '
            'as CenterTemporalSample and UniformTemporalSample(test_mode=True); '
            "set the test pipeline to one of them, or use backend='torch'"
        )


class OnnxBackend(Backend):
    """As :class:`TorchBackend`, with no network of torch: the graph crops, mirrors and recognises.

    Args:
        path (str | Path): The exported file.
        device (str, optional): 'cpu', or 'cuda' with onnxruntime-gpu.
        threads (int): Of onnxruntime; 0 = as many as it likes.

    Attributes:
        spec (InputSpec): How the model reads clips.
        glosses (list[str]): Of its classes; [] where the checkpoint had none.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not ONNX, not exported by this project or by a newer version of it, or the device is not
            there.
    """

    def __init__(
        self, path: Union[str, 'os.PathLike[str]'], device: Optional[str] = None, threads: int = 0
    ) -> None:
        path, runtime = os.fspath(path), import_onnxruntime()
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f'{path}: no such file; export one: python '
                f'tools/deployment/export_onnx.py CONFIG CHECKPOINT {path}'
            )
        device = device or 'cpu'
        provider = 'CUDAExecutionProvider' if device.startswith('cuda') else 'CPUExecutionProvider'
        if provider not in runtime.get_available_providers():
            raise UserValueError(
                f'device {device!r}: this onnxruntime has {runtime.get_available_providers()}; '
                "install onnxruntime-gpu, or device='cpu'"
            )
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        with open(path, 'rb') as file:
            data = file.read()
        if is_damaged(data):
            raise UserValueError(
                f'{path} ({len(data)} bytes): damaged, its checksum differs; copy it again or export it '
                'again (a program that changed '
                f'it on purpose, as by quantising, has to remove the metadata entry {DIGEST_KEY!r})'
            )
        try:
            self.session = runtime.InferenceSession(data, options, providers=[provider])
        except Exception as error:  # onnxruntime's own classes, which differ between versions
            raise UserValueError(
                f'{path} ({os.path.getsize(path)} bytes): not a whole ONNX file ({error}); export it again'
            ) from error
        text = self.session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        meta = json.loads(text) if text else {}
        names = (
            [node.name for node in self.session.get_inputs()],
            [node.name for node in self.session.get_outputs()],
        )
        if (
            meta.get('version') != METADATA_VERSION
            or names[0] != list(INPUTS)
            or names[1][:1] != ['logits']
            or not set(names[1]) <= set(OUTPUTS)
        ):
            raise UserValueError(
                f'{path}: metadata {METADATA_KEY!r} of version {METADATA_VERSION} expected, '
                f'{meta.get("version")} found; inputs and outputs {names}: '
                'export it with tools/deployment/export_onnx.py of this version'
            )
        self.spec = InputSpec(**meta['input'])
        self.glosses: List[str] = meta['glosses']
        self.max_frames: Optional[int] = meta['max_frames']
        self._outputs = names[1]
        check_steady(self.spec.temporal)

    @property
    def frame_rates(self) -> List[Optional[float]]:
        """The one of its spec."""
        return [self.spec.fps]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        """As :meth:`Backend.run`.

        Raises:
            ValueError: A clip is longer than the model's time code.
        """
        batch = {name: value.numpy() for name, value in make_batch(clips, self.spec, first).items()}
        if self.max_frames is not None and batch['frames'].shape[1] > self.max_frames:
            raise UserValueError(
                f'clips of {batch["frames"].shape[1]} frames, but the model knows '
                f'{self.max_frames}; use segments() with a window'
            )
        found = dict(
            zip(self._outputs, self.session.run(self._outputs, {name: batch[name] for name in INPUTS}))
        )
        logits, attention = found['logits'], found.get('attention')
        scores = np.exp(logits - logits.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        frames, length = batch['frames'], batch['length']
        if 'frames' in found:  # the graph resampled time
            length = (found['frames'] >= 0).sum(-1)
            frames = np.take_along_axis(frames, np.maximum(found['frames'], 0), 1)
        return [
            dict(
                scores=scores[row],
                attention=None if attention is None else attention[row, :real],
                frames=frames[row, :real],
            )
            for row, real in enumerate(length.tolist())
        ]


class OnnxGraph(nn.Module):
    """What is exported: the test pipeline of the data preprocessor and the recogniser.

    Args:
        model (BaseRecognizer): In evaluation mode.

    Attributes:
        outputs (list[str]): What :meth:`forward` gives: 'logits'; 'attention', where the model pools hands;
            'frames', where its pipeline resamples time, as ST-Consistency's does.
        max_frames (int, optional): The longest clip that the model takes; None = any.

    Raises:
        ConfigError: The model is no recogniser of hands that can be exported, or it takes clips of one length
            and its pipeline does not bring them to it.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        name = type(model).__name__
        if not getattr(model, 'exportable', False):
            raise ConfigError(
                f'{name} cannot be exported; give the config and checkpoint of a SignRecognizer or an '
                'STConsistencyRecognizer'
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
        self.outputs = ['logits', *['attention'] * model.attends, *['frames'] * resamples]
        self.max_frames: Optional[int] = model.max_frames

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
        logits, weights = self.model.classify(inputs, attention='attention' in self.outputs)
        found = dict(logits=logits, attention=weights)
        if 'frames' in self.outputs:
            real = torch.arange(inputs['frames'].shape[1]) < inputs['length'][:, None]
            found['frames'] = torch.where(real, inputs['frames'], -1)
        return tuple(found[name] for name in self.outputs)


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
        model (BaseRecognizer): As :func:`init_model` gives it, on the CPU.
        path (str | Path): The file, written whole or not at all.

    Raises:
        ConfigError: The model cannot be exported, or its test data needs more than a temporal transform.
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
        glosses=glosses_of(model),
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
        model (BaseRecognizer): What was exported.
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
