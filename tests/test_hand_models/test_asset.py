from dataclasses import replace

import numpy as np
import pytest

from signbert_mm.hand_models import TO_COCO, HandAssetError, load_hand_asset
from signbert_mm.hand_models.asset import FREE_HAND_FILE, read_free_hand, write_free_hand
from signbert_mm.layouts import get_layout


def test_to_coco_order():
    names = ['hand_root'] + [
        f'{f}{k}'
        for f in ('forefinger', 'middle_finger', 'pinky_finger', 'ring_finger', 'thumb')
        for k in (1, 2, 3)
    ]
    names += [f'{f}4' for f in ('forefinger', 'middle_finger', 'ring_finger', 'pinky_finger', 'thumb')]
    assert tuple(names[i] for i in TO_COCO) == get_layout('hand_21').joints
    assert TO_COCO == (0, 13, 14, 15, 20, 1, 2, 3, 16, 4, 5, 6, 17, 10, 11, 12, 18, 7, 8, 9, 19)


def test_free_is_read_only_and_shared(free):
    assert load_hand_asset('free') is free
    with pytest.raises(ValueError, match='read-only'):
        free.template[0, 0] = 1


@pytest.mark.parametrize(
    'field', ['template', 'faces', 'joint_regressor', 'skinning', 'shape_basis', 'pose_basis', 'pca', 'mean']
)
def test_wrong_shape_names_field_and_both_shapes(free, field):
    array = getattr(free, field)
    with pytest.raises(HandAssetError) as error:
        replace(free, **{field: array[:-1]})
    assert f"'{field}'" in str(error.value)
    assert str(array.shape) in str(error.value) and str(array[:-1].shape) in str(error.value)


def _changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    'field, change, message',
    [
        ('template', lambda a: _changed(a, (3, 1), np.nan), "'template': found 1 NaN"),
        ('pose_basis', lambda a: _changed(a, (0, 0, 0), np.inf), "'pose_basis': found 1 NaN or infinite"),
        ('faces', lambda a: _changed(a, (0, 0), 778), "'faces': found vertex ids 0..778"),
        ('skinning', lambda a: a * 1.1, "'skinning': found rows that sum to 1.1"),
        ('joint_regressor', lambda a: a * 0.5, "'joint_regressor': found rows that sum to 0.5"),
        ('parents', lambda a: (-1,) + tuple(range(15)), "'parents'"),
        ('tip_ids', lambda a: (1, 2, 3, 4, 778), "'tip_ids': found .*778"),
        ('template', lambda a: a * [-1, 1, 1], 'left hand'),
        ('side', lambda a: 'left', 'left hand'),
        ('mean', lambda a: 'flat', "'mean': found str that is no array"),
    ],
)
def test_wrong_values_name_field_and_finding(free, field, change, message):
    with pytest.raises(HandAssetError, match=message):
        replace(free, **{field: change(getattr(free, field))})


def test_a_regressor_that_is_a_little_off_is_used_with_a_warning(free, monkeypatch):
    lines = []
    monkeypatch.setattr('signbert_mm.hand_models.asset.print_log', lambda text, **_: lines.append(text))
    asset = replace(free, joint_regressor=free.joint_regressor * 1.04)
    np.testing.assert_allclose(asset.joints, free.joints * 1.04)
    assert len(lines) == 1 and "'joint_regressor': rows that sum to 1.0400..1.0400 instead of 1" in lines[0]
    with pytest.raises(HandAssetError, match=r"'joint_regressor': found rows that sum to 1\.06"):
        replace(free, joint_regressor=free.joint_regressor * 1.06)


@pytest.mark.parametrize(
    'name', ['template', 'faces', 'joint_regressor', 'skinning', 'shape_basis', 'pose_basis', 'pca', 'mean']
)
def test_free_hand_is_its_file_bit_by_bit(free, name):
    with np.load(FREE_HAND_FILE, allow_pickle=False) as file:
        stored = file[name]
    assert stored.dtype == (np.int64 if name == 'faces' else np.float64)
    assert stored.tobytes() == getattr(free, name).tobytes()


def test_write_and_read_give_the_same_bits(free, tmp_path):
    write_free_hand(free, tmp_path / 'hand.npz')
    again = read_free_hand(tmp_path / 'hand.npz')
    assert again.hash == free.hash and again.tip_ids == free.tip_ids
    assert all(
        getattr(again, name).tobytes() == getattr(free, name).tobytes()
        for name in ('template', 'skinning', 'pose_basis')
    )
    assert (tmp_path / 'hand.npz').stat().st_size < 1_000_000


def _flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    'damage',
    [
        lambda data: data[: len(data) // 2],
        _flip,
        lambda data: b'',
        lambda data: b'version https://git-lfs.github.com/spec/v1\n',
    ],
    ids=['cut', 'flipped bit', 'empty', 'pointer'],
)
def test_damaged_file_of_the_free_hand_says_install_again(tmp_path, damage):
    path = tmp_path / 'free_hand.npz'
    path.write_bytes(damage(FREE_HAND_FILE.read_bytes()))
    with pytest.raises(HandAssetError, match='free_hand.npz: .*cannot be read.*install signbert_mm again'):
        read_free_hand(path)


def test_missing_file_and_another_hand_say_install_again(free, tmp_path):
    with pytest.raises(HandAssetError, match='absent.npz: .*install signbert_mm again'):
        read_free_hand(tmp_path / 'absent.npz')
    write_free_hand(replace(free, template=free.template * 1.01), tmp_path / 'other.npz')
    with pytest.raises(HandAssetError, match=f'other.npz: holds a hand with hash .* is {free.hash}; install'):
        read_free_hand(tmp_path / 'other.npz')


def test_hash_follows_content_not_last_bits(free):
    assert replace(free, template=free.template + 1e-12 * np.sign(free.template)).hash == free.hash
    assert replace(free, template=free.template * 1.001).hash != free.hash
    assert replace(free, tip_ids=free.tip_ids[::-1]).hash != free.hash
    assert replace(free, name='other').hash == free.hash


def test_names_and_paths_are_explicit(tmp_path):
    with pytest.raises(HandAssetError, match="unknown hand asset 'smplx'; known: free, mano"):
        load_hand_asset('smplx')
    with pytest.raises(HandAssetError, match="did you mean asset='mano'"):
        load_hand_asset('free', tmp_path)
    with pytest.raises(HandAssetError, match='needs path='):
        load_hand_asset('mano')
    with pytest.raises(FileNotFoundError, match='MANO_RIGHT.pkl; .*licence'):
        load_hand_asset('mano', tmp_path)
