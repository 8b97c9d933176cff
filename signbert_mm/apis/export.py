"""Exports a recogniser as one ONNX graph, from pixels to logits, and runs it."""

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
from .backends import Backend, TorchBackend, glosses_of, rejection_of, spec_of_model
from .clips import InputSpec, PoseClip, make_batch
from .rejection import KEY as REJECTION_KEY
from .rejection import Rejection

OPSET = 18
METADATA_KEY, METADATA_VERSION = 'signbert_mm', 1
INPUTS = ('keypoints', 'scores', 'length', 'image_size')
OUTPUTS = ('logits', 'attention', 'frames', 'known_odds')
DIGEST_KEY = 'signbert_mm_blake2b'
_DIGEST_BYTES = 32
_INSTALL = 'install it: pip install -r requirements/deploy.txt'


def import_onnxruntime() -> Any:
    """Imports onnxruntime.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise UserModuleNotFoundError(f'onnxruntime runs exported models; {_INSTALL}') from error
    return onnxruntime


def _digest_entry(data: bytes) -> bytes:
    """The checksum of ``data`` as a metadata entry of an ONNX file, always of one length."""
    # Protobuf's encoding: 0x0a and 0x12 tag key and value, 0x72 tags field 14, `metadata_props`.
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest().encode()
    key = DIGEST_KEY.encode()
    entry = b'\x0a' + bytes([len(key)]) + key + b'\x12' + bytes([len(digest)]) + digest
    return b'\x72' + bytes([len(entry)]) + entry


def with_digest(data: bytes) -> bytes:
    """Appends the checksum of an ONNX file as its last metadata entry."""
    # Protobuf reads fields behind a serialised message as part of it, so the file stays valid.
    return data + _digest_entry(data)


def is_damaged(data: bytes) -> bool:
    """Whether an ONNX file ends with a wrong checksum. Files of older versions have none."""
    length = len(_digest_entry(b''))
    return DIGEST_KEY.encode() in data[-length:] and data[-length:] != _digest_entry(data[:-length])


def check_steady(temporal: Optional[Dict[str, Any]]) -> None:
    """Checks that a temporal transform is deterministic, as an exported model requires.

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
    """Runs an exported model with onnxruntime. The graph crops, mirrors and recognises.

    Args:
        path (str | Path): The exported file.
        device (str, optional): 'cpu', or 'cuda' with onnxruntime-gpu.
        threads (int): Threads of onnxruntime; 0 = its default.

    Attributes:
        spec (InputSpec): How the model reads clips.
        glosses (list[str]): Of its classes; [] where the checkpoint had none.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not ONNX, not exported by this project or by a newer version of it, or the device is not
            available.
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
                'again (a program that changed it on purpose, as by quantising, has to remove the metadata '
                f'entry {DIGEST_KEY!r})'
            )
        try:
            self.session = runtime.InferenceSession(data, options, providers=[provider])
        except Exception as error:
            # onnxruntime raises classes of its own, which differ between versions.
            raise UserValueError(
                f'{path} ({os.path.getsize(path)} bytes): not a whole ONNX file ({error}); export it again'
            ) from error
        text = self.session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        meta = json.loads(text) if text else {}
        inputs = [node.name for node in self.session.get_inputs()]
        outputs = [node.name for node in self.session.get_outputs()]
        if (
            meta.get('version') != METADATA_VERSION
            or inputs != list(INPUTS)
            or outputs[:1] != ['logits']
            or not set(outputs) <= set(OUTPUTS)
        ):
            raise UserValueError(
                f'{path}: metadata {METADATA_KEY!r} of version {METADATA_VERSION} expected, '
                f'{meta.get("version")} found; inputs and outputs {inputs, outputs}: '
                'export it with tools/deployment/export_onnx.py of this version'
            )
        self.spec = InputSpec(**meta['input'])
        self.glosses: List[str] = meta['glosses']
        self.rejection = Rejection.read(meta.get(REJECTION_KEY), path)
        self.max_frames: Optional[int] = meta['max_frames']
        self._outputs = outputs
        check_steady(self.spec.temporal)

    @property
    def frame_rates(self) -> List[Optional[float]]:
        """The rate of its spec."""
        return [self.spec.fps]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        """As :meth:`Backend.run`.

        Raises:
            ValueError: A clip is longer than the model's positional encoding.
        """
        batch = {name: value.numpy() for name, value in make_batch(clips, self.spec, first).items()}
        if self.max_frames is not None and batch['frames'].shape[1] > self.max_frames:
            raise UserValueError(
                f'clips of {batch["frames"].shape[1]} frames, but the model knows '
                f'{self.max_frames}; use segments() with a window'
            )
        values = self.session.run(self._outputs, {name: batch[name] for name in INPUTS})
        results = dict(zip(self._outputs, values))
        logits, attention, odds = results['logits'], results.get('attention'), results.get('known_odds')
        # The softmax in numpy. Subtracting the maximum avoids overflow.
        scores = np.exp(logits - logits.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        frames, length = batch['frames'], batch['length']
        # The graph resampled time: its `frames` are positions in the batch's, -1 = padding.
        if 'frames' in results:
            length = (results['frames'] >= 0).sum(-1)
            frames = np.take_along_axis(frames, np.maximum(results['frames'], 0), 1)
        return [
            dict(
                scores=scores[row],
                attention=None if attention is None else attention[row, :count],
                frames=frames[row, :count],
                **({'known_odds': float(odds[row])} if odds is not None else {}),
            )
            for row, count in enumerate(length.tolist())
        ]


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
        for transform in self.model.data_preprocessor.test_pipeline:
            inputs = transform(inputs, draws)
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


def export_onnx(model: nn.Module, path: Union[str, 'os.PathLike[str]']) -> None:
    """Writes the graph, with batch and length free, and the metadata that :class:`OnnxBackend` reads.

    Args:
        model (BaseRecognizer): As :func:`init_model` gives it, on the CPU.
        path (str | Path): The file, written whole or not at all.

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
    proto = program.model_proto
    meta = dict(
        version=METADATA_VERSION,
        glosses=glosses_of(model),
        input=spec._asdict(),
        joints=list(get_layout(spec.layout).joints),
        clip_len=spec.clip_len,
        max_frames=max_frames,
    )
    rejection = rejection_of(model)
    if rejection is not None:
        meta[REJECTION_KEY] = rejection._asdict()
    onnx.helper.set_model_props(proto, {METADATA_KEY: json.dumps(meta, ensure_ascii=False)})
    onnx.checker.check_model(proto)
    write_atomic(with_digest(proto.SerializeToString()), path)


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
