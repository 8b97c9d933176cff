import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from signbert_mm.datasets.importers.safe_pickle import safe_load, to_array


def load(data):
    return safe_load(io.BytesIO(data))


@pytest.mark.parametrize('protocol', range(6))
@pytest.mark.parametrize(
    'array',
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
        np.arange(4, dtype='>i4'),
        np.asarray([True, False]),
        np.zeros((0, 3)),
        np.asarray(5),
        np.asarray(['ab', 'c']),
    ],
)
def test_arrays(array, protocol):
    read = to_array(load(pickle.dumps(array, protocol=protocol)))
    assert read.dtype == array.dtype and read.shape == array.shape
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_plain_data(protocol):
    data = OrderedDict(a=[1, 2.5, None, True], b=('x', {'y': b'z', 'n': b''}))
    assert load(pickle.dumps(data, protocol=protocol)) == data
    scalars = [np.float32(1.5), np.int64(7), np.bool_(True)]
    assert load(pickle.dumps(scalars, protocol=protocol)) == [1.5, 7, True]


@pytest.mark.parametrize('core', [b'numpy.core.multiarray', b'numpy._core.multiarray'])
def test_both_numpys(core):
    data = pickle.dumps(np.arange(3), protocol=0)
    for name in (b'numpy._core.multiarray', b'numpy.core.multiarray'):
        data = data.replace(name, core)
    assert core in data and to_array(load(data)).tolist() == [0, 1, 2]


class Payload:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def payloads(folder):
    return dict(
        system=Payload(os.system, f'touch {folder}/ran'),
        eval=Payload(eval, f"open('{folder}/ran', 'w')"),
        exec=Payload(exec, f"open('{folder}/ran', 'w')"),
        getattr=Payload(getattr, dict, 'fromkeys'),
        bytes=Payload(bytes, 10**9),
        nested=dict(annotations=[dict(keypoint=Payload(os.mkdir, f'{folder}/ran'))]),
        numpy_file=Payload(np.fromfile, f'{folder}/x'),
    )


@pytest.mark.parametrize('name', payloads(''))
@pytest.mark.parametrize('protocol', [2, 4])
def test_payloads_are_refused_and_not_run(tmp_path, name, protocol):
    with pytest.raises(ValueError, match='refused .*nothing from it was run'):
        load(pickle.dumps(payloads(tmp_path)[name], protocol=protocol))
    assert os.listdir(tmp_path) == []


def text(value):
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def test_a_listed_module_is_not_a_listed_name(tmp_path):
    code = f"open('{tmp_path}/ran', 'w')"
    with pytest.raises(ValueError, match='numpy.testing.runstring, which is not on the list'):
        load(b'cnumpy.testing\nrunstring\n(V' + code.encode() + b'\n(dtR.')
    with pytest.raises(ValueError, match='collections.OrderedDict.__init__.__globals__'):
        load(pickle.PROTO + b'\x04' + text('collections') + text('OrderedDict.__init__.__globals__') + pickle.STACK_GLOBAL + pickle.STOP)
    with pytest.raises(ValueError, match="codec 'rot13'"):
        load(b'c_codecs\nencode\n(Vabc\nVrot13\ntR.')
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    'array', [np.asarray([{}, 1], dtype=object), np.zeros(2, dtype=[('a', 'f4')]), np.zeros(2, dtype='V8'), np.zeros(2, dtype='M8[s]')]
)
def test_only_numbers_and_text_in_arrays(array):
    with pytest.raises(ValueError, match='refused'):
        load(pickle.dumps(array))


def test_damaged():
    data = pickle.dumps(dict(a=np.arange(1000)))
    for cut in (0, 1, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(ValueError, match='refused'):
            load(data[:cut])
    with pytest.raises(ValueError, match='where an array is expected'):
        to_array({})
    with pytest.raises(ValueError, match='where an array is expected'):
        to_array(load(b'cnumpy.core.multiarray\n_reconstruct\n(tR.'))  # an array never filled
