"""A recogniser exported by ``tools/deployment/export_onnx.py``, run by onnxruntime on numpy arrays."""

import hashlib
import json
import os
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from ..errors import UserModuleNotFoundError, UserValueError
from .backend import Backend
from .input_spec import InputSpec, make_batch, numpy_sampler
from .pose_clip import PoseClip

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


class OnnxBackend(Backend):
    """As :class:`TorchBackend`, without torch: numpy samples time and maps joints, the graph crops, mirrors
    and recognises.

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
        self._sample = numpy_sampler(self.spec.temporal)

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        """As :meth:`Backend.run`.

        Raises:
            ValueError: A clip is longer than the model's time code.
        """
        batch = make_batch(clips, self.spec, self._sample)
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
