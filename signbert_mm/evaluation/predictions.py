"""Predictions as ``tools/test.py --dump`` writes them, read without executing anything."""

import collections
import io
import pickle
from pathlib import Path
from typing import Any, Callable, Dict, List, Union

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
