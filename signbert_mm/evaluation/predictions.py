"""Predictions as ``tools/test.py --dump`` writes them, read without executing anything."""

import collections
import io
import pickle
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Union

import numpy as np
import torch


class _Refused(pickle.UnpicklingError):
    pass


def _storage(data: bytes) -> Any:
    # torch's own function of this name calls torch.load(weights_only=False)
    return torch.load(io.BytesIO(data), weights_only=True, map_location='cpu')


def _bytes(text: str, encoding: str) -> bytes:
    # how protocol 2, which mmengine writes, stores bytes
    if encoding != 'latin1':
        raise _Refused(f'bytes as text in {encoding!r}')
    return text.encode(encoding)


_ALLOWED = {
    ('_codecs', 'encode'): _bytes,
    ('torch._utils', '_rebuild_tensor_v2'): torch._utils._rebuild_tensor_v2,
    ('torch.storage', '_load_from_bytes'): _storage,
    ('collections', 'OrderedDict'): collections.OrderedDict,
}


class _TensorUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable:
        if (module, name) not in _ALLOWED:
            raise _Refused(f'it asks for {module}.{name}, which no file of predictions needs')
        return _ALLOWED[module, name]


def load_predictions(path: Union[str, Path]) -> List[Dict[str, Any]]:
    """Reads a file of predictions: one dict a clip, in order of ``sample_idx``, each clip once.

    Args:
        path (str | Path): A pickle of a list of dicts of tensors, numbers and strings.

    Returns:
        list[dict]: The fields of :class:`~signbert_mm.structures.SignDataSample`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is cut short, is no such list, holds a clip without ``sample_idx``, or asks for a name outside the list (nothing is executed).
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no predictions at {path}; make them with tools/test.py CONFIG CHECKPOINT --dump {path}')
    try:
        with open(path, 'rb') as file:
            data = _TensorUnpickler(file).load()
    except _Refused as error:
        raise ValueError(f'{path}: refused, nothing was run: {error}. Do not trust this file') from None
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise almost anything
        raise ValueError(
            f'{path}: {path.stat().st_size} bytes that are not a whole file of predictions ({type(error).__name__}: {error}); '
            'make it again with tools/test.py --dump'
        ) from error
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise ValueError(f'{path}: holds a {type(data).__name__}, expected a list of dicts as tools/test.py --dump writes')
    without = [place for place, item in enumerate(data) if 'sample_idx' not in item]
    if without or not data:
        raise ValueError(f'{path}: {f"item {without[0]} has no sample_idx" if without else "no predictions in it"}')
    clips = {int(item['sample_idx']): item for item in data}
    return [clips[index] for index in sorted(clips)]


def read_labels(path: Union[str, Path]) -> Tuple[np.ndarray, np.ndarray, int]:
    """Labels (N,) int64, predictions (N,) int64 in the same order of clips, and the number of classes, of a recogniser's file of predictions.

    Raises:
        ValueError: It holds no class scores or labels, or they do not fit.
    """
    clips = load_predictions(path)
    absent = [field for field in ('pred_scores', 'gt_label') if any(field not in clip for clip in clips)]
    if absent:
        raise ValueError(f"{path}: predictions without {' and '.join(absent)}; a recogniser's are needed")
    labels = np.array([int(clip['gt_label']) for clip in clips])
    predicted = np.array([int(np.argmax(clip['pred_scores'].float().numpy())) for clip in clips])
    number = {len(clip['pred_scores']) for clip in clips}
    if len(number) > 1 or labels.min() < 0 or labels.max() >= min(number):
        raise ValueError(
            f'{path}: scores of {sorted(number)} classes and labels {labels.min()}..{labels.max()}; one class count and labels in it are needed'
        )
    return labels, predicted, number.pop()
