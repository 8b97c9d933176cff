"""Reads MANO's own file without chumpy, without scipy and without running anything from it.

MANO_RIGHT.pkl is a Python 2 pickle that holds chumpy arrays and a scipy sparse matrix. The restricted
unpickler of :mod:`signbert_mm.files.unpickle` gets the names that such a file needs, each with a small class
of this file; any other name is refused before anything is built.
"""

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple, Union

import numpy as np

from ..errors import UserValueError
from ..files.stand_ins import PickleDamaged, PickleRefused, StandIn
from ..files.unpickle import load
from .asset import NUM_BETAS, PARENTS, HandAsset, HandAssetError

FILE_NAME = 'MANO_RIGHT.pkl'
# Fingertip vertices of MANO's mesh: thumb, index, middle, ring, little. They follow SignBERT's description.
# The paper gives no numbers.
TIP_IDS = (734, 333, 443, 555, 678)
# Field of the file -> field of the asset.
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

# The published file has 3.8 MB.
_MAX_BYTES = 1 << 26
# Nested selections. A crafted file could nest them until Python's stack overflows.
_MAX_SELECTIONS = 16


class _Object(StandIn):
    """An object whose state is a dict of fields."""

    __slots__ = ('state',)
    fields: Tuple[str, ...] = ()

    def build(self, state: Any) -> '_Object':
        self.state = state
        return self

    def content(self) -> tuple:
        state = getattr(self, 'state', None)
        return tuple(state[name] for name in self.fields if name in state) if isinstance(state, dict) else ()

    def dense(self) -> np.ndarray:
        raise NotImplementedError

    def _field(self, name: str) -> Any:
        state = getattr(self, 'state', None)
        return state.get(name) if isinstance(state, dict) else None


class _Chumpy(_Object):
    """A chumpy array.

    A leaf holds ``x``. A selection holds the array ``a``, flat indices ``idxs`` and ``preferred_shape``.
    """

    __slots__ = ()
    fields = ('x', 'a', 'idxs', 'preferred_shape')

    def dense(self, depth: int = 0) -> np.ndarray:
        if depth > _MAX_SELECTIONS:
            raise UserValueError(
                f'a chumpy array of more than {_MAX_SELECTIONS} selections within each other'
            )
        source, indices, shape = self._field('a'), self._field('idxs'), self._field('preferred_shape')
        if self._field('x') is not None:
            source = self._field('x')
        elif source is None or not isinstance(indices, (np.ndarray, list, tuple)):
            state = getattr(self, 'state', None)
            fields = sorted(map(str, state))[:20] if isinstance(state, dict) else type(state).__name__
            raise UserValueError(f'a chumpy array with {fields} instead of x, or a and idxs')
        values = source.dense(depth + 1) if isinstance(source, _Chumpy) else dense(source)
        if self._field('x') is not None:
            return values
        values = values.reshape(-1)[np.asarray(indices).astype(np.int64)]
        return values if shape is None else values.reshape(tuple(shape))


class _SparseColumns(_Object):
    """scipy's csc_matrix."""

    __slots__ = ()
    fields = ('data', 'indices', 'indptr', '_shape', 'shape')

    def dense(self) -> np.ndarray:
        data, indices, indptr = (self._field(name) for name in ('data', 'indices', 'indptr'))
        # scipy renamed the field; old pickles have ``_shape``.
        shape = self._field('_shape') or self._field('shape')
        if not all(isinstance(part, np.ndarray) and part.ndim == 1 for part in (data, indices, indptr)):
            raise UserValueError('a sparse matrix without data, indices and indptr')
        rows, columns = (int(size) for size in shape)
        # The matrix is rebuilt without scipy, so its parts and its size are checked here.
        consistent = (
            len(indptr) == columns + 1
            and indptr[0] == 0
            and len(data) == len(indices) == indptr[-1]
            and (indptr[1:] >= indptr[:-1]).all()
        )
        if (
            not consistent
            or rows * columns > 10**7
            or (len(indices) and not 0 <= indices.min() <= indices.max() < rows)
        ):
            raise UserValueError(f'a sparse matrix of {rows} x {columns} whose parts do not fit each other')
        full = np.zeros((rows, columns))
        # Repeated entries add up, as in scipy.
        np.add.at(full, (indices, np.repeat(np.arange(columns), np.diff(indptr))), data)
        return full


def dense(value: Any) -> np.ndarray:
    """A field of the file as a plain array."""
    return value.dense() if isinstance(value, _Object) else np.asarray(value)


class _PlainObject(StandIn):
    """Python's ``object``, which is only ever an argument."""

    __slots__ = ()


def _reconstructor(kind: Any = None, base: Any = None, state: Any = None) -> Any:
    """An instance as Python 2 pickled it: ``_reconstructor(cls, object, None)``."""
    cls = getattr(kind, 'call', None)
    if (
        cls not in (_Chumpy, _SparseColumns)
        or getattr(base, 'call', None) is not _PlainObject
        or state is not None
    ):
        raise PickleRefused(f'_reconstructor called for {getattr(kind, "text", type(kind).__name__)}')
    return cls()


def _set(items: Any = ()) -> set:
    """Python 2's set, in which chumpy keeps the names of an object's changed fields."""
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise PickleRefused('a set of something other than text')
    return set(items)


_NAMES: Dict[Tuple[str, str], Callable] = {
    ('copy_reg', '_reconstructor'): _reconstructor,
    ('copyreg', '_reconstructor'): _reconstructor,
    ('__builtin__', 'object'): _PlainObject,
    ('builtins', 'object'): _PlainObject,
    ('__builtin__', 'set'): _set,
    ('builtins', 'set'): _set,
    ('chumpy.ch', 'Ch'): _Chumpy,
    ('chumpy.reordering', 'Select'): _Chumpy,
    ('scipy.sparse.csc', 'csc_matrix'): _SparseColumns,
    ('scipy.sparse._csc', 'csc_matrix'): _SparseColumns,
}


def find_mano(path: Optional[Union[str, Path]]) -> Path:
    """The file itself, from its own path or its folder's.

    Raises:
        HandAssetError: ``path`` is None.
        FileNotFoundError: The file does not exist.
    """
    if path is None:
        raise HandAssetError(
            f"hand asset 'mano' needs path=.../{FILE_NAME}; {_WHERE}. Without it use asset='free'"
        )
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    if not path.is_file():
        raise FileNotFoundError(f"no hand model at {path}; {_WHERE}. Without it use asset='free'")
    return path


def read_pickle(path: Union[str, Path]) -> Dict[str, Any]:
    """The fields of a MANO file as stored; :func:`dense` turns one into an array.

    Raises:
        HandAssetError: The file is cut short, is no pickle, asks for a name outside the list, or holds
            something other than named fields.
    """
    path = Path(path)
    try:
        with open(path, 'rb') as file:
            data = load(file, _NAMES, encoding='latin1', max_bytes=_MAX_BYTES)
    except PickleRefused as error:
        message = f'{path}: refused, nothing was run: {error}. Do not trust this file; {_WHERE}'
        raise HandAssetError(message) from None
    except PickleDamaged as error:
        size = path.stat().st_size
        message = f'{path}: {size} bytes that are not a whole MANO pickle ({error}); get it again: {_WHERE}'
        raise HandAssetError(message) from error
    if not isinstance(data, dict):
        raise HandAssetError(
            f'{path}: holds a {type(data).__name__}, expected the named fields {sorted(FIELDS)}; {_WHERE}'
        )
    return data


def read_mano(path: Union[str, Path]) -> HandAsset:
    """MANO_RIGHT.pkl as an asset.

    Raises:
        HandAssetError: The file is refused, cut short or not MANO's right hand; the message names the file
            and the field.
    """
    data = read_pickle(path)
    missing = [name for name in FIELDS if name not in data]
    if missing:
        raise HandAssetError(
            f'{path}: fields {missing} are missing; found {sorted(map(str, data))[:20]}. '
            f'Expected {FILE_NAME}; {_WHERE}'
        )
    arrays = {}
    for name in FIELDS:
        try:
            arrays[name] = dense(data[name])
        except Exception as error:
            raise HandAssetError(f'{path}: field {name!r} cannot be read: {error}; {_WHERE}') from error
    tree = arrays.pop('kintree_table')
    # The root's parent is 2**32 - 1 in the file, so the comparison starts at joint 1.
    if tree.shape != (2, len(PARENTS)) or tuple(int(parent) for parent in tree[0][1:]) != PARENTS[1:]:
        raise HandAssetError(
            f"{path}: field 'kintree_table': found shape {tree.shape}, parents "
            f'{tree.tolist()[:1]}; expected {PARENTS}'
        )
    shapes = arrays['shapedirs']
    # Some releases have more shape axes than the ten of the paper.
    if shapes.ndim == 3 and shapes.shape[2] > NUM_BETAS:
        arrays['shapedirs'] = shapes[:, :, :NUM_BETAS]
    return HandAsset(
        **{FIELDS[name]: array for name, array in arrays.items()},
        tip_ids=TIP_IDS,
        name='mano',
        source=str(path),
    )
