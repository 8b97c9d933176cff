"""Runs exported models with onnxruntime. Needs no torch."""

import hashlib
import json
import os
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from ..datasets.frame_choice import is_steady
from ..errors import UserValueError
from ..extras import need
from .backends import Backend
from .clips import InputSpec, PoseClip, make_batch
from .rejection import KEY as REJECTION_KEY
from .rejection import Rejection

METADATA_KEY, METADATA_VERSION = 'signbert_mm', 1
INPUTS = ('keypoints', 'scores', 'length', 'image_size')
OUTPUTS = ('logits', 'attention', 'frames', 'known_odds')
DIGEST_KEY = 'signbert_mm_blake2b'
_DIGEST_BYTES = 32


def import_onnxruntime() -> Any:
    """Imports onnxruntime.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    return need('onnxruntime', 'running an exported model', 'onnx')


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
    if is_steady(temporal):
        return
    from ..registry import TRANSFORMS

    if not TRANSFORMS.build(temporal).steady:
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
        precision (str): 'fp32', 'fp16' or 'int8'.

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
        # Older files do not say it and are all in fp32.
        self.precision: str = meta.get('precision', 'fp32')
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
        batch = make_batch(clips, self.spec, first)
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
