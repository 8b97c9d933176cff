import os
import pickle
import pickletools

import numpy as np
import pytest
import torch

from signbert_mm.hand_models import HandAssetError, HandModel, load_hand_asset, mano
from signbert_mm.hand_models.mano import TIP_IDS, read_pickle


@pytest.mark.parametrize('new', [False, True])
def test_reads_chumpy_and_sparse_fields(free, write_mano, new):
    path = write_mano(new=new)
    asset = load_hand_asset('mano', path)
    for field in (
        'template',
        'faces',
        'joint_regressor',
        'skinning',
        'shape_basis',
        'pose_basis',
        'pca',
        'mean',
    ):
        np.testing.assert_array_equal(getattr(asset, field), getattr(free, field), err_msg=field)
    assert (asset.name, asset.tip_ids, asset.parents, asset.side) == ('mano', TIP_IDS, free.parents, 'right')
    assert asset.hash != free.hash  # other fingertips
    assert load_hand_asset('mano', path.parent).hash == asset.hash  # its folder will do


def test_the_file_is_as_mano_wrote_it(write_mano):
    text = write_mano().read_bytes()
    for name in (
        b'chumpy.ch\nCh',
        b'chumpy.reordering\nSelect',
        b'scipy.sparse.csc\ncsc_matrix',
        b'copy_reg\n_reconstructor',
        b'__builtin__\nobject',
    ):
        assert name in text


def test_the_file_is_as_chumpy_writes_it(write_mano):
    """NEWOBJ, and a state of chumpy's own bookkeeping, a set of names among it; from file to joints."""
    path = write_mano(new=True)
    text = path.read_bytes()
    assert b'__builtin__\nset' in text and b'_dirty_vars' in text and b'_make_sparse' in text
    assert b'_reconstructor' not in text and text.count(b'chumpy.ch\nCh') == 1
    opcodes = [opcode.name for opcode, _, _ in pickletools.genops(text)]
    assert opcodes.count('NEWOBJ') == 7
    joints = [
        HandModel(asset='mano', path=str(path_)).joints(torch.zeros(25), torch.ones(10))
        for path_ in (path, write_mano(path.with_name('other.pkl')))
    ]
    assert torch.equal(*joints)


def test_a_set_of_other_things_is_refused(tmp_path):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(pickle.dumps(dict(v_template={1, 2}), protocol=2))
    with pytest.raises(HandAssetError, match='a set of something other than text'):
        read_pickle(path)


class _Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def _runstring():
    from numpy.testing import runstring

    return runstring


@pytest.mark.parametrize(
    'payload, name',
    [
        (lambda marker: _Call(os.system, f'touch {marker}'), f'{os.name}.*system|posix.system'),
        (lambda marker: _Call(eval, f'open({str(marker)!r}, "w")'), '__builtin__.eval'),
        (lambda marker: _Call(_runstring(), f'open({str(marker)!r}, "w")', {}), 'numpy.testing.*runstring'),
        (lambda marker: _Call(getattr, 'text', 'upper'), '__builtin__.getattr'),
        (lambda marker: _Call(pickle.loads, b''), '_?pickle.loads'),
    ],
)
def test_a_payload_is_refused_and_not_run(write_mano, tmp_path, payload, name):
    marker = tmp_path / 'ran'
    path = write_mano(bs_style=payload(marker))
    with pytest.raises(
        HandAssetError, match=f'MANO_RIGHT.pkl: refused, nothing was run: it asks for ({name})'
    ):
        load_hand_asset('mano', path)
    assert not marker.exists()


@pytest.mark.parametrize(
    'opcodes',
    [
        b'\x80\x02cnumpy.core.multiarray\nfromfile\n.',
        b'\x80\x02cscipy.sparse.csr\ncsr_matrix\n.',
        b'cnumpy\nload\n.',
    ],
)
def test_names_beside_the_allowed_ones_are_refused(tmp_path, opcodes):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(opcodes)
    with pytest.raises(HandAssetError, match='refused'):
        read_pickle(path)


def test_reconstructor_makes_known_classes_only(tmp_path):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(b'\x80\x02ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR.')
    with pytest.raises(HandAssetError, match='_reconstructor called for'):
        read_pickle(path)


@pytest.mark.parametrize(
    'opcodes, message',
    [
        # numpy's own __setstate__ would write through the pointers that the file gives
        (
            b'cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(I1\ntcnumpy\ndtype\n(VO8\n'
            b'tRI00\nC\x08AAAAAAAAtb.',
            "'O8' is not read",
        ),
        (b'cnumpy\ndtype\n(Vf8\ntR(I3\nV<\nN(Va\nt}I999\nI1\nI63\ntb.', 'holds NumpyType'),
        (b'cchumpy.ch\nCh\n}Vdense\nI1\nsb.', 'changes chumpy.ch.Ch itself'),
        (b'}N' + b'2\x86' * 60 + b'Ns.', 'key of a dict'),
        (b'}Va\n]q\x00' + b'2\x86' * 90 + b's.', 'describes more than'),
    ],
)
def test_crafted_files_are_refused(tmp_path, opcodes, message):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(opcodes)
    with pytest.raises(HandAssetError, match=f'MANO_RIGHT.pkl: .*{message}'):
        read_pickle(path)


def test_a_file_of_another_size_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(pickle.dumps(dict(a=b'x' * 1000)))
    monkeypatch.setattr(mano, '_MAX_BYTES', 999)
    with pytest.raises(HandAssetError, match='at most 999 are read'):
        read_pickle(path)


def test_selections_within_selections():
    leaf = mano._Chumpy().build(dict(x=np.arange(6.0)))
    for depth in range(40):
        leaf = mano._Chumpy().build(dict(a=leaf, idxs=np.arange(5, -1, -1), preferred_shape=(2, 3)))
        if depth == 9:
            np.testing.assert_array_equal(leaf.dense(), np.arange(6.0).reshape(2, 3))
    with pytest.raises(ValueError, match='selections within each other'):
        leaf.dense()
    loop = mano._Chumpy()
    with pytest.raises(ValueError, match='selections within each other'):
        loop.build(dict(x=loop)).dense()


@pytest.mark.parametrize('kept', [0, 10, 0.5, -1])
def test_a_truncated_file_is_named_with_its_size(write_mano, kept):
    path = write_mano()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept == 0.5 else kept])
    with pytest.raises(
        HandAssetError, match=f'MANO_RIGHT.pkl: {path.stat().st_size} bytes that are not a whole MANO pickle'
    ):
        load_hand_asset('mano', path)


@pytest.mark.parametrize(
    'content, message',
    [([1, 2], 'holds a list'), (dict(names='x'), "fields .*'v_template'.* are missing; found .*'names'")],
)
def test_a_pickle_of_something_else(tmp_path, content, message):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(HandAssetError, match=f'MANO_RIGHT.pkl: {message}'):
        load_hand_asset('mano', path)


def test_text_is_not_a_pickle(tmp_path):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_text('version https://git-lfs.github.com/spec/v1')
    with pytest.raises(HandAssetError, match='not a whole MANO pickle'):
        load_hand_asset('mano', path)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(weights=None), "fields \\['weights'\\] are missing"),
        (
            dict(posedirs=np.zeros((778, 3, 90))),
            "MANO_RIGHT.pkl.*'pose_basis': found shape \\(778, 3, 90\\), expected \\(778, 3, 135\\)",
        ),
        (dict(v_template=np.full((778, 3), np.nan)), "'template': found 2334 NaN"),
        (dict(hands_mean='flat'), "'mean': found"),
        (dict(kintree_table=np.zeros((2, 24), dtype=np.uint32)), "'kintree_table': found shape \\(2, 24\\)"),
    ],
)
def test_wrong_fields_are_named(write_mano, changes, message):
    with pytest.raises(HandAssetError, match=message):
        load_hand_asset('mano', write_mano(**changes))


def test_left_hand_is_refused(free, write_mano):
    with pytest.raises(HandAssetError, match='MANO_RIGHT.pkl.*left hand.*give MANO_RIGHT.pkl'):
        load_hand_asset('mano', write_mano(v_template=free.template * [-1, 1, 1]))
