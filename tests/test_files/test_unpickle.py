import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from signbert_mm.files.stand_ins import PLAIN_NAMES, NumpyArray, NumpyType, without_stand_ins
from signbert_mm.files.unpickle import safe_load, to_array


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
        load(
            pickle.PROTO
            + b'\x04'
            + text('collections')
            + text('OrderedDict.__init__.__globals__')
            + pickle.STACK_GLOBAL
            + pickle.STOP
        )
    with pytest.raises(ValueError, match="codec 'rot13'"):
        load(b'c_codecs\nencode\n(Vabc\nVrot13\ntR.')
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    'array',
    [
        np.asarray([{}, 1], dtype=object),
        np.zeros(2, dtype=[('a', 'f4')]),
        np.zeros(2, dtype='V8'),
        np.zeros(2, dtype='M8[s]'),
    ],
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


def test_nothing_of_a_library_is_served():
    """numpy's own classes take pointers and flags on trust; every name stands for a function or class of this
    package.
    """
    for stand_in in PLAIN_NAMES.values():
        assert stand_in.__module__.startswith('signbert_mm.')


GLOBAL_DTYPE = b'cnumpy\ndtype\n'


@pytest.mark.parametrize(
    'opcodes, message',
    [
        # numpy's own __setstate__ would take the object pointers of this array from the file
        (
            b'cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I1\ntcnumpy\ndtype\n(VO8\n'
            b'tRI00\nC\x08AAAAAAAAtb.',
            'O8',
        ),
        (GLOBAL_DTYPE + b'(VV8\nI0\nI1\ntR.', 'V8'),
        (GLOBAL_DTYPE + b'}Va\nI1\nsb.', 'changes numpy.dtype itself'),
        (b'c_codecs\nencode\nN}V__globals__\nI1\ns\x86b.', 'changes _codecs.encode itself'),
        (b'ccollections\nOrderedDict\nN}Vx\nI1\ns\x86b.', 'changes collections.OrderedDict itself'),
        (b'ccollections\nOrderedDict\n)R}Vx\nI1\nsb.', 'gives a state to OrderedDict'),
        (b'c_codecs\nencode\nVx\nVy\ns.', 'sets items of Name'),
        (b'](I1\nI2\nVx\nVy\nu.', 'sets items of list|dict'),
        (b'}(Vx\nu.', 'key without a value'),
        (b'}I1\na.', 'appends to dict'),
        (b'ccollections\nOrderedDict\n.', 'holds collections.OrderedDict itself'),
        (b'VP\nVQ\n\x85R.', 'calls str'),
        (b'\x80\x02\x82\x01.', 'opcode'),
        (b'Pname\n.', 'opcode'),
        (b'Vname\nQ.', 'persistent'),
        (b'(cposix\nsystem\no.', 'posix.system'),
        (b'\x80\x05\x97.', 'opcode'),
    ],
)
def test_crafted_opcodes(opcodes, message):
    with pytest.raises(ValueError, match=f'refused .*({message})'):
        load(opcodes)


def doubled(last=b'', times=200):
    """Each tuple holds the one before twice: 2 ** times of them in a few hundred bytes."""
    return b']' + b'2\x86' * times + last + b'.'


@pytest.mark.parametrize(
    'name, data, message',
    [
        ('a tree', doubled(times=80), 'describes more than'),
        ('a key', b'}N' + b'2\x86' * 200 + b'Nsa.', 'refused'),
        ('keys', b'}' + b'N' + b'2\x86' * 40 + b'Ns.', 'key of a dict is tuple'),
        ('an item of a set', b'\x8f(' + b'N' + b'2\x86' * 40 + b'\x90.', 'key of a dict is tuple'),
        ('lists', b']' * 500 + b'a' * 499 + b'.', 'nests deeper'),
        ('marks', b'(' * 500 + b't' * 500 + b'.', 'nests deeper'),
        ('itself', b']q\x00h\x00a.', 'holds itself'),
        ('text', b'Va\n' + b'2\x86' * 90 + b'.', 'describes more than'),
        ('a claimed length', b'\x8e' + (1 << 40).to_bytes(8, 'little') + b'x.', 'cut short'),
        ('a claimed buffer', b'\x80\x05\x96' + (1 << 40).to_bytes(8, 'little') + b'x.', 'cut short'),
        (
            'a long number',
            b'\x8b' + (10**6).to_bytes(4, 'little') + b'\1' * 10**6 + b'.',
            'whole number of 1000000 bytes',
        ),
        ('a long number in text', b'L' + b'9' * 10**6 + b'L\n.', 'a line of'),
        ('a place in the memo', b'Np' + b'9' * 10**6 + b'\n.', 'a line of'),
        ('a negative place', b'Np-5\n.', 'negative'),
        (
            'encoding',
            b'c_codecs\nencode\nq\0V' + b'x' * 10**6 + b'\nq\1' + b'(' + b'h\0h\1\x85R0' * 100 + b'N.',
            'makes more than',
        ),
    ],
)
def test_bombs(name, data, message):
    with pytest.raises(ValueError, match=message):
        load(data)


def test_limits_leave_what_is_usual():
    shape = (480, 640)
    clips = [
        dict(img_shape=shape, values=list(range(20)), label=i % 5, key={('a', 1): 2.0}) for i in range(3000)
    ]
    assert load(pickle.dumps(clips)) == clips
    deep = 0
    for _ in range(60):
        deep = [deep]
    assert load(pickle.dumps(deep)) == deep
    assert load(pickle.dumps([2**500, -(2**70)])) == [2**500, -(2**70)]


def test_arrays_are_checked_against_their_bytes():
    array = pickle.dumps(np.asarray([True, False]), protocol=4).replace(b'C\x02\x01\x00', b'C\x02\x07\x00')
    assert to_array(load(array)).view(np.uint8).tolist() == [1, 0]  # a bool is 0 or 1
    array = pickle.dumps(np.asarray(['ab']), protocol=4).replace('ab'.encode('utf-32-le'), b'\xff' * 8)
    with pytest.raises(ValueError, match='no characters'):
        load(array)
    array = pickle.dumps(np.zeros(4, np.float32), protocol=4).replace(b'K\x04\x85', b'K\x05\x85')
    with pytest.raises(ValueError, match='refused'):
        load(array)


def test_a_transposed_array_of_numpy_2_3():
    """With protocol 5, numpy >= 2.3 writes the buffer of a view in C order and how its axes lie: order
    'K'.
    """
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    raw = array.tobytes()

    def write(order, axes):
        code = text('numpy._core.numeric') + text('_frombuffer') + pickle.STACK_GLOBAL + pickle.MARK
        code += pickle.BYTEARRAY8 + len(raw).to_bytes(8, 'little') + raw
        code += (
            text('numpy') + text('dtype') + pickle.STACK_GLOBAL + text('f4') + pickle.TUPLE1 + pickle.REDUCE
        )
        code += b'K\x02K\x03K\x04' + pickle.TUPLE3 + text(order) + axes + pickle.TUPLE + pickle.REDUCE
        return pickle.PROTO + b'\x05' + code + pickle.STOP

    read = load(write('K', b'K\x02K\x00K\x01' + pickle.TUPLE3))
    np.testing.assert_array_equal(read, array.transpose(2, 0, 1))
    np.testing.assert_array_equal(load(write('C', b'')), array)
    for order, axes in (
        ('K', b''),
        ('C', b'K\x02K\x00K\x01' + pickle.TUPLE3),
        ('K', b'K\x02K\x02K\x01' + pickle.TUPLE3),
    ):
        with pytest.raises(ValueError, match='refused'):
            load(write(order, axes))


def test_names_that_would_take_the_room_of_the_longest():
    with pytest.raises(ValueError, match='no list of names'):
        to_array(['x' * 10**5] + ['y'] * 10**4)


def test_stand_ins_in_what_another_reader_read():
    array = NumpyArray()
    array.__setstate__((1, (2,), NumpyType('i4'), False, np.arange(2, dtype=np.int32).tobytes()))
    shared = [array]
    content = without_stand_ins(dict(a=shared, b=(shared, 1), c='x'))
    assert content['a'][0].tolist() == [0, 1] and content['b'][0] is content['a'] and content['c'] == 'x'
    with pytest.raises(ValueError, match='never filled'):
        without_stand_ins([NumpyArray()])
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match='holds itself'):
        without_stand_ins(loop)
