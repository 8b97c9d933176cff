"""A file written as MANO's is: protocol 2, chumpy arrays, scipy's matrix at its old path, made from the free
hand's numbers.
"""

import copyreg
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from signbert_mm.hand_models import load_hand_asset


@pytest.fixture(scope='session')
def free():
    return load_hand_asset('free')


def _fake(module: str, name: str, new: bool) -> type:
    """A class that pickles under that name the way Python 2 pickled a plain one; ``new``: as its protocol 2
    does, and with the state that chumpy's ``__getstate__`` gives.
    """

    def reduce(self):
        return copyreg._reconstructor, (type(self), object, None), self.__dict__

    def state(self):
        fields = dict(self.__dict__, _dirty_vars=set(self.__dict__), _itr=None, _depends_on_deps={})
        return dict(fields, _make_dense=False, _make_sparse=False) if 'chumpy' in module else self.__dict__

    return type(
        name,
        (),
        {
            '__module__': module,
            '__init__': lambda self, **fields: self.__dict__.update(fields),
            **({'__getstate__': state} if new else {'__reduce__': reduce}),
        },
    )


@pytest.fixture
def write_mano(free, tmp_path, monkeypatch):
    """A writer: keyword arguments replace fields (None leaves one out); gives the path. ``new``: objects as
    chumpy itself pickles them, every array of real numbers one of its own.
    """

    def write(path: Path = tmp_path / 'MANO_RIGHT.pkl', new: bool = False, **changes) -> Path:
        with monkeypatch.context() as patch:
            kinds = {}
            for module, name in (
                ('chumpy.ch', 'Ch'),
                ('chumpy.reordering', 'Select'),
                ('scipy.sparse.csc', 'csc_matrix'),
            ):
                parts = module.split('.')
                for end in range(1, len(parts) + 1):
                    patch.setitem(sys.modules, '.'.join(parts[:end]), types.ModuleType('.'.join(parts[:end])))
                kinds[name] = _fake(module, name, new)
                setattr(sys.modules[module], name, kinds[name])
            regressor = free.joint_regressor
            rows, columns = np.nonzero(regressor.T)[::-1]
            wide = kinds['Ch'](x=np.concatenate([free.shape_basis, np.zeros((778, 3, 2))], 2), _parents={})
            keep = np.arange(778 * 3 * 12).reshape(778, 3, 12)[:, :, :10].reshape(-1)
            data = dict(
                v_template=kinds['Ch'](x=free.template),
                f=free.faces.astype(np.uint32),
                J_regressor=kinds['csc_matrix'](
                    _shape=(16, 778),
                    maxprint=50,
                    data=regressor[rows, columns],
                    indices=rows.astype(np.int32),
                    indptr=np.searchsorted(columns, np.arange(779)).astype(np.int32),
                ),
                weights=free.skinning,
                shapedirs=kinds['Select'](a=wide, idxs=keep, preferred_shape=(778, 3, 10)),
                posedirs=free.pose_basis,
                hands_components=free.pca,
                hands_mean=free.mean,
                kintree_table=np.array([np.array(free.parents) % 2**32, np.arange(16)], dtype=np.uint32),
                J=free.joints,
                bs_style='lbs',
                bs_type='lrotmin',
            )
            if new:
                data.update({key: kinds['Ch'](x=data[key]) for key in ('weights', 'posedirs', 'hands_mean')})
            data.update(changes)
            path.write_bytes(
                pickle.dumps({name: value for name, value in data.items() if value is not None}, protocol=2)
            )
        return path

    return write
