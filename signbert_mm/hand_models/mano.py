"""Reads MANO's own file without chumpy, without scipy and without running anything from it.

MANO_RIGHT.pkl is a Python 2 pickle that holds chumpy arrays and a scipy sparse matrix. An unpickler here knows exactly the names that such a
file needs and maps them to small classes of its own; any other name is refused before anything is built.
"""

import pickle
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np

from .asset import NUM_BETAS, PARENTS, HandAsset, HandAssetError

FILE_NAME = 'MANO_RIGHT.pkl'
# fingertip vertices of MANO's mesh: thumb, index, middle, ring, little (inferred by SignBERT's description, not given in the paper)
TIP_IDS = (734, 333, 443, 555, 678)
# field of the file -> field of the asset
FIELDS = dict(
    v_template='template',
    f='faces',
    J_regressor='joint_regressor',
    weights='skinning',
    shapedirs='shape_basis',
    posedirs='pose_basis',
    hands_components='pca',
    hands_mean='mean',
    kintree_table='parents',
)
_WHERE = f'{FILE_NAME} comes in mano_v1_2.zip from https://mano.is.tue.mpg.de after accepting its licence'


class _Chumpy:
    """A chumpy array: a leaf holds ``x``; a selection holds the array ``a``, flat indices ``idxs`` and ``preferred_shape``."""

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def dense(self) -> np.ndarray:
        if not isinstance(self.state, dict):
            raise ValueError(f'a chumpy array whose state is {type(self.state).__name__}')
        if 'x' in self.state:
            return dense(self.state['x'])
        if not {'a', 'idxs'} <= self.state.keys():
            raise ValueError(f'a chumpy array with {sorted(self.state)} instead of x, or a and idxs')
        picked = dense(self.state['a']).reshape(-1)[dense(self.state['idxs']).astype(np.int64)]
        shape = self.state.get('preferred_shape')
        return picked if shape is None else picked.reshape(tuple(shape))


class _SparseColumns:
    """scipy's csc_matrix."""

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def dense(self) -> np.ndarray:
        if not isinstance(self.state, dict) or not {'data', 'indices', 'indptr'} <= self.state.keys():
            raise ValueError('a sparse matrix without data, indices and indptr')
        rows, columns = (int(size) for size in self.state.get('_shape', self.state.get('shape')))
        data, indices, indptr = (np.asarray(self.state[key]) for key in ('data', 'indices', 'indptr'))
        whole = len(indptr) == columns + 1 and len(data) == len(indices) == indptr[-1] and (np.diff(indptr) >= 0).all()
        if not whole or rows * columns > 10**8 or (len(indices) and not 0 <= indices.min() <= indices.max() < rows):
            raise ValueError(f'a sparse matrix of {rows} x {columns} whose parts do not fit each other')
        full = np.zeros((rows, columns))
        np.add.at(full, (indices, np.repeat(np.arange(columns), np.diff(indptr))), data)
        return full


def dense(value: Any) -> np.ndarray:
    """A field of the file as a plain array."""
    return value.dense() if isinstance(value, (_Chumpy, _SparseColumns)) else np.asarray(value)


def _reconstructor(kind: type, base: type, state: Any) -> Any:
    """What Python 2 wrote for an object of a plain class."""
    if kind not in (_Chumpy, _SparseColumns) or base is not object or state is not None:
        raise pickle.UnpicklingError(f'_reconstructor called for {kind!r}')
    return kind()


def _bytes(text: str, encoding: str = 'latin1') -> bytes:
    """What Python 3 writes for bytes in an old protocol."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'_codecs.encode called with {encoding!r}')
    return text.encode('latin1')


_numpy_reconstruct = np.zeros(0).__reduce__()[0]
_ALLOWED: Dict[Tuple[str, str], Callable] = {
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('copy_reg', '_reconstructor'): _reconstructor,
    ('copyreg', '_reconstructor'): _reconstructor,
    ('__builtin__', 'object'): object,
    ('builtins', 'object'): object,
    ('_codecs', 'encode'): _bytes,
    ('chumpy.ch', 'Ch'): _Chumpy,
    ('chumpy.reordering', 'Select'): _Chumpy,
    ('scipy.sparse.csc', 'csc_matrix'): _SparseColumns,
    ('scipy.sparse._csc', 'csc_matrix'): _SparseColumns,
}
for _core in ('numpy.core', 'numpy._core'):
    _ALLOWED[f'{_core}.multiarray', '_reconstruct'] = _numpy_reconstruct


class _Refused(pickle.UnpicklingError):
    pass


class MANOUnpickler(pickle.Unpickler):
    """Builds what MANO's file holds and nothing else."""

    def find_class(self, module: str, name: str) -> Callable:
        if (module, name) not in _ALLOWED:
            raise _Refused(f'it asks for {module}.{name}, which no MANO file needs')
        return _ALLOWED[module, name]


def find_mano(path: Optional[Union[str, Path]]) -> Path:
    """The file itself, from its own path or its folder's.

    Raises:
        HandAssetError: No path was given.
        FileNotFoundError: Nothing is there.
    """
    if path is None:
        raise HandAssetError(f"hand asset 'mano' needs path=.../{FILE_NAME}; {_WHERE}. Without it use asset='free'")
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    if not path.is_file():
        raise FileNotFoundError(f"no hand model at {path}; {_WHERE}. Without it use asset='free'")
    return path


def read_pickle(path: Union[str, Path]) -> Dict[str, Any]:
    """The fields of a MANO file as stored; :func:`dense` makes an array of one.

    Raises:
        HandAssetError: The file is cut short, is no pickle, asks for a name outside the list, or holds something other than named fields.
    """
    path = Path(path)
    try:
        with open(path, 'rb') as file:
            data = MANOUnpickler(file, encoding='latin1').load()
    except _Refused as error:
        raise HandAssetError(f'{path}: refused, nothing was run: {error}. Do not trust this file; {_WHERE}') from None
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise almost anything
        size = path.stat().st_size
        raise HandAssetError(
            f'{path}: {size} bytes that are not a whole MANO pickle ({type(error).__name__}: {error}); get it again: {_WHERE}'
        ) from error
    if not isinstance(data, dict):
        raise HandAssetError(f'{path}: holds a {type(data).__name__}, expected the named fields {sorted(FIELDS)}; {_WHERE}')
    return data


def read_mano(path: Union[str, Path]) -> HandAsset:
    """MANO_RIGHT.pkl as an asset.

    Raises:
        HandAssetError: The file is refused, cut short or not MANO's right hand; the message names the file and the field.
    """
    data = read_pickle(path)
    absent = [name for name in FIELDS if name not in data]
    if absent:
        raise HandAssetError(f'{path}: fields {absent} are missing; found {sorted(map(str, data))[:20]}. Expected {FILE_NAME}; {_WHERE}')
    arrays = {}
    for name in FIELDS:
        try:
            arrays[name] = dense(data[name])
        except Exception as error:
            raise HandAssetError(f'{path}: field {name!r} cannot be read: {error}; {_WHERE}') from error
    tree = arrays.pop('kintree_table')
    if tree.shape != (2, len(PARENTS)) or tuple(int(parent) for parent in tree[0][1:]) != PARENTS[1:]:
        raise HandAssetError(f"{path}: field 'kintree_table': found shape {tree.shape}, parents {tree.tolist()[:1]}; expected {PARENTS}")
    shapes = arrays['shapedirs']
    if shapes.ndim == 3 and shapes.shape[2] > NUM_BETAS:
        arrays['shapedirs'] = shapes[:, :, :NUM_BETAS]
    return HandAsset(**{FIELDS[name]: array for name, array in arrays.items()}, tip_ids=TIP_IDS, name='mano', source=str(path))
