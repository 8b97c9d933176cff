import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from signbert_mm.engine.checkpoint_io import (
    AtomicLocalBackend,
    find_last_whole_checkpoint,
    pack_message_hub,
    to_plain,
    unpack_message_hub,
)
from signbert_mm.files.atomic import remove_leftovers, write_atomic
from signbert_mm.files.checkpoints import (
    CheckpointError,
    check_whole,
    drop_config_text,
    is_finite,
    load_checkpoint_file,
    safe_names,
)


class Payload:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return os.mkdir, (str(self.witness),)


def save(path, iteration=1, **more):
    torch.save(
        dict(meta=dict(epoch=0, iter=iteration), state_dict=dict(w=torch.ones(64)), optimizer={}, **more),
        path,
    )
    return str(path)


def cut(path, share=0.6):
    with open(path, 'r+b') as file:
        file.truncate(int(os.path.getsize(path) * share))


@pytest.mark.parametrize('zipped', [True, False])
def test_a_payload_is_refused_and_not_executed(tmp_path, zipped):
    path = tmp_path / 'evil.pth'
    torch.save(
        dict(state_dict=dict(w=torch.ones(2)), extra=Payload(tmp_path / 'witness')),
        path,
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(CheckpointError, match=r'evil\.pth is refused.*mkdir.*Nothing was executed'):
        load_checkpoint_file(path)
    assert not (tmp_path / 'witness').exists()


def test_a_plain_pickle_with_a_payload_is_refused(tmp_path):
    path = tmp_path / 'evil.pth'
    path.write_bytes(pickle.dumps(Payload(tmp_path / 'witness'), protocol=2))
    with pytest.raises(CheckpointError, match=r'evil\.pth'):
        load_checkpoint_file(path)
    assert not (tmp_path / 'witness').exists()


def test_the_environment_cannot_switch_it_off(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    test_a_payload_is_refused_and_not_executed(tmp_path, True)


def test_getattr_of_a_pickle_is_inert(tmp_path):
    """``getattr`` is let through as a stand-in (HistoryBuffer asks for it): it must not give a pickle a way
    to functions.
    """

    class Chain:
        def __reduce__(self):
            return getattr, (np.ndarray, 'tofile')

    torch.save(dict(w=torch.ones(1), chain=Chain()), tmp_path / 'chain.pth')
    assert load_checkpoint_file(tmp_path / 'chain.pth')['chain'] is None


@pytest.mark.parametrize(
    'opcodes',
    [
        # numpy's own __setstate__ would take the pointers of an array of objects from the file
        b'cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01K\x01\x85cnumpy\ndtype\n'
        b'(X\x02\0\0\0O8K\0K\1tR\x89X\x08\0\0\0AAAAAAAAtb.',
        b'cnumpy.core.multiarray\n_reconstruct\n(tR.',
        b'cnumpy\ndtype\n(X\x02\0\0\0f8tR.',
        b'cnumpy\ndtype\n}X\x01\0\0\0aK\x01sb.',
    ],
)
def test_crafted_numpy_content_is_refused(tmp_path, opcodes):
    torch.save(dict(w=torch.ones(2)), tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as whole, zipfile.ZipFile(tmp_path / 'evil.pth', 'w') as evil:
        for name in whole.namelist():
            evil.writestr(name, b'\x80\x02' + opcodes if name.endswith('data.pkl') else whole.read(name))
    with pytest.raises(CheckpointError, match=r'evil\.pth'):
        load_checkpoint_file(tmp_path / 'evil.pth')


def test_nothing_of_numpy_is_served():
    for stand_in, _ in safe_names():
        assert stand_in.__module__.startswith('signbert_mm.')


def test_missing_torn_and_foreign_files_name_the_file_and_the_cure(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth does not exist'):
        load_checkpoint_file(tmp_path / 'none.pth')
    path = save(tmp_path / 'torn.pth')
    cut(path)
    for look in (load_checkpoint_file, check_whole):
        with pytest.raises(CheckpointError, match=r'torn\.pth \(\d+ bytes\).*cut short'):
            look(path)
    (tmp_path / 'empty.pth').touch()
    (tmp_path / 'text.pth').write_text('not a checkpoint')
    for name in ('empty', 'text'):
        with pytest.raises(CheckpointError, match=f'{name}.pth'):
            load_checkpoint_file(tmp_path / f'{name}.pth')


def test_a_flipped_byte_is_found(tmp_path):
    path = Path(save(tmp_path / 'a.pth'))
    check_whole(path)
    content = bytearray(path.read_bytes())
    where = content.index(torch.ones(4).numpy().tobytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match='damaged'):
        check_whole(path)


def test_whatever_bit_flips_the_weights_are_those_saved_or_none(tmp_path):
    path = Path(save(tmp_path / 'a.pth'))
    whole, flipped = path.read_bytes(), tmp_path / 'b.pth'
    refused = 0
    for place in range(0, len(whole), 5):
        content = bytearray(whole)
        content[place] ^= 1 << place % 8
        flipped.write_bytes(content)
        try:
            loaded = load_checkpoint_file(flipped)
        except CheckpointError as error:
            refused += 1
            assert str(flipped) in str(error)
            continue
        # the bit is in what only fills the file up
        assert torch.equal(loaded['state_dict']['w'], torch.ones(64)), place
    assert refused > 50


OTHER_FILES = dict(
    lfs=(
        b'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n',
        'is a Git LFS pointer.*git lfs pull',
    ),
    page=(b'\n<!DOCTYPE html><html><body>Sign in</body></html>', 'is a web page.*download it again'),
    json=(b'{"error": "not found"}', 'is text in JSON'),
    packed=(b'\x1f\x8b\x08\x00\x00', 'is a compressed file: unpack it'),
    safetensors=(b'\x10\0\0\0\0\0\0\0{"__metadata__":{}}', 'is a safetensors file'),
    zeros=(b'\0' * 4000, 'is a file of zeros'),
    empty=(b'', 'is an empty file'),
    pickle=(pickle.dumps(dict(w=1), protocol=4), 'is a plain pickle'),
    zip=(b'PK\x03\x04' + b'\0' * 40, 'is cut short, damaged or not a checkpoint'),
    words=(b'hello', 'is not a PyTorch checkpoint'),
)


@pytest.mark.parametrize('kind', OTHER_FILES)
def test_another_file_is_named_and_nobody_is_told_to_switch_the_protection_off(tmp_path, kind):
    data, message = OTHER_FILES[kind]
    (tmp_path / 'a.pth').write_bytes(data)
    for look in (load_checkpoint_file, check_whole, lambda path: load_checkpoint_file(path, check=False)):
        with pytest.raises(CheckpointError, match=r'a\.pth \(\d+ bytes\)') as caught:
            look(tmp_path / 'a.pth')
        assert 'weights_only' not in str(caught.value)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint_file(tmp_path / 'a.pth')


def test_a_checkpoint_without_a_dict_and_one_that_torch_advises_to_trust(tmp_path):
    torch.save([torch.ones(2)], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match=r'list\.pth holds a list; give a file with a state_dict'):
        load_checkpoint_file(tmp_path / 'list.pth')
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / 'script.pth'))
    with pytest.raises(CheckpointError, match=r'script\.pth') as caught:
        load_checkpoint_file(tmp_path / 'script.pth')
    assert 'weights_only' not in str(caught.value)


def test_a_zip_that_unpacks_to_much_more_is_not_opened(tmp_path):
    with zipfile.ZipFile(tmp_path / 'bomb.pth', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('bomb/data.pkl', bytes(8 << 20))
    with pytest.raises(CheckpointError, match=r'bomb\.pth .*says that it holds 8388608 bytes'):
        load_checkpoint_file(tmp_path / 'bomb.pth')


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('bare', [True, False])
def test_weights_that_are_not_finite_are_refused(tmp_path, value, bare):
    weights = dict(
        a=torch.ones(3), b=torch.tensor([1, value]), c=torch.tensor([value]).half(), n=torch.tensor([3])
    )
    weights['mask'] = torch.tensor([0, -float('inf')])  # of an attention
    torch.save(weights if bare else dict(state_dict=weights, meta=dict(best=value)), tmp_path / 'a.pth')
    with pytest.raises(
        CheckpointError, match=r'a\.pth: b and 1 more tensors hold numbers that are not finite'
    ):
        load_checkpoint_file(tmp_path / 'a.pth')
    assert load_checkpoint_file(tmp_path / 'a.pth', check=False)


def test_numbers_of_any_kind_can_be_asked_whether_they_are_finite():
    kinds = [
        torch.tensor([1]),
        torch.tensor([True]),
        torch.ones(2).to(torch.float8_e4m3fn),
        torch.ones(2).bfloat16(),
        torch.ones(2, 2).to_sparse(),
    ]
    assert (
        all(map(is_finite, kinds)) and is_finite(torch.zeros(0)) and is_finite(torch.ones(1, device='meta'))
    )
    assert not is_finite(torch.tensor([complex(0, float('nan'))]))


def test_the_text_of_a_config_in_the_meta_is_left_out(tmp_path):
    from mmengine.runner import CheckpointLoader

    torch.save(
        dict(meta=dict(config='raise SystemExit', cfg='a = 1'), state_dict=dict(w=torch.ones(1))),
        tmp_path / 'a.pth',
    )
    assert CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))['meta'] == dict(cfg='a = 1')
    for other in ({}, dict(meta=None), dict(meta=3), []):
        assert drop_config_text(other) is other


def test_numpy_content_and_stock_mmengine_history_load(tmp_path):
    """What stock mmengine and its sister projects write: numpy in the meta, HistoryBuffer objects in the
    message hub.
    """
    hub = dict(
        log_scalars=OrderedDict(loss=HistoryBuffer([1.0, 2.0], [1, 1])),
        runtime_info=OrderedDict(epoch=3),
        resumed_keys=dict(loss=True, epoch=True),
    )
    meta = dict(
        flip=np.array([0, 2, 1]),
        sigma=np.array([0.5], dtype=np.float32),
        best=np.float64(0.25),
        count=np.int64(3),
    )
    torch.save(dict(meta=meta, message_hub=hub, state_dict=dict(w=torch.ones(2))), tmp_path / 'stock.pth')
    loaded = load_checkpoint_file(tmp_path / 'stock.pth')
    assert loaded['meta']['flip'].tolist() == [0, 2, 1] and float(loaded['meta']['best']) == 0.25
    buffer = unpack_message_hub(loaded['message_hub'])['log_scalars']['loss']
    assert isinstance(buffer, HistoryBuffer) and buffer.mean() == 1.5 and buffer.statistics('max') == 2.0


def test_message_hub_survives_packing(tmp_path):
    hub = MessageHub('packing')
    for value in (1.0, 3.0):
        hub.update_scalar('train/loss', value)
    hub.update_scalar('val/count', 2)
    hub.update_info('epoch', 4)
    hub.update_info('meta', dict(classes=np.array(['a', 'b']), sigma=np.ones(2), empty=None, pair=(1, 2)))
    hub.update_info('strange', object())
    packed = pack_message_hub(hub.state_dict())
    torch.save(packed, tmp_path / 'hub.pth')
    packed = torch.load(tmp_path / 'hub.pth', weights_only=True)  # torch's own, without any allowed name
    assert 'strange' not in packed['runtime_info'] and 'strange' not in packed['resumed_keys']
    other = MessageHub('unpacked')
    other.load_state_dict(unpack_message_hub(packed))
    loss = other.get_scalar('train/loss')
    assert (
        loss.data[0].tolist() == [1.0, 3.0]
        and loss.data[0].dtype == np.float64
        and loss.data[1].tolist() == [1, 1]
    )
    other.update_scalar('train/loss', 5.0)
    assert other.get_scalar('train/loss').mean() == 3.0
    assert (
        other.get_info('epoch') == 4
        and other.get_info('meta')['classes'] == ['a', 'b']
        and other.get_info('meta')['pair'] == (1, 2)
    )


def test_to_plain_names_what_it_cannot_hold():
    with pytest.raises(TypeError, match=r'meta\.a\[1\] is a builtins\.object'):
        to_plain(dict(a=[1, object()]), 'meta')
    assert to_plain({'x': np.float64(1.5), 'y': {2, 1}, np.int64(3): True}) == {
        'x': 1.5,
        'y': [1, 2],
        3: True,
    }
    assert type(to_plain(np.float64(1.5))) is float and type(to_plain(np.str_('a'))) is str


def test_atomic_write_keeps_the_old_file_when_the_disk_fills(tmp_path, monkeypatch):
    path = tmp_path / 'a.pth'
    write_atomic(b'good', path)
    monkeypatch.setattr(
        os, 'fsync', lambda handle: (_ for _ in ()).throw(OSError(28, 'No space left on device'))
    )
    with pytest.raises(OSError, match='No space'):
        write_atomic(b'bad', path)
    assert path.read_bytes() == b'good' and os.listdir(tmp_path) == ['a.pth']


def test_atomic_write_respects_the_umask(tmp_path):
    write_atomic(b'', tmp_path / 'a')
    (tmp_path / 'b').touch()
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'b').stat().st_mode


def test_backend_removes_last_and_not_what_was_written_anew(tmp_path):
    backend, old, same = AtomicLocalBackend(), tmp_path / 'old', tmp_path / 'same'
    for path in (old, same):
        backend.put(b'1', path)
    with pytest.raises(RuntimeError), backend.removing_last():
        backend.remove(old)
        raise RuntimeError
    assert old.exists()
    with backend.removing_last():
        backend.remove(old)
        backend.remove(same)
        AtomicLocalBackend().put(b'2', same)
        assert old.exists()
    assert not old.exists() and same.read_bytes() == b'2'


def test_only_leftovers_are_removed(tmp_path):
    names = ['.epoch_1.pth.x1y2.tmp', '.last_checkpoint.ab.tmp', 'epoch_1.pth', 'notes.tmp', '.hidden']
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(names[2:])


class TestLastWhole:
    def test_nothing(self, tmp_path):
        assert find_last_whole_checkpoint(tmp_path) is None
        assert find_last_whole_checkpoint(tmp_path / 'absent') is None

    def test_the_named_one(self, tmp_path):
        save(tmp_path / 'iter_9.pth', 9)
        (tmp_path / 'last_checkpoint').write_text(save(tmp_path / 'iter_2.pth', 2))
        assert find_last_whole_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')

    def test_a_folder_that_moved(self, tmp_path):
        save(tmp_path / 'iter_2.pth', 2)
        (tmp_path / 'last_checkpoint').write_text('/elsewhere/iter_2.pth')
        assert find_last_whole_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')

    def test_falls_back_past_torn_ones(self, tmp_path):
        for number in (2, 10, 9):
            save(tmp_path / f'iter_{number}.pth', number)
        save(tmp_path / 'best_acc.pth', 99)
        # no optimizer: not to resume from
        torch.save(dict(meta=dict(iter=50), state_dict={}), tmp_path / 'published.pth')
        (tmp_path / 'last_checkpoint').write_text(save(tmp_path / 'iter_12.pth', 12))
        cut(tmp_path / 'iter_12.pth')
        cut(tmp_path / 'iter_10.pth', 0.9)
        assert find_last_whole_checkpoint(tmp_path) == str(tmp_path / 'iter_9.pth')

    @pytest.mark.parametrize('pointer', ['', '/elsewhere/gone.pth', '\x00\x00'])
    def test_a_spoilt_pointer(self, tmp_path, pointer):
        save(tmp_path / 'epoch_1.pth', 5)
        (tmp_path / 'last_checkpoint').write_text(pointer)
        assert find_last_whole_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')

    def test_none_whole(self, tmp_path):
        (tmp_path / 'last_checkpoint').write_text(save(tmp_path / 'iter_2.pth', 2))
        cut(tmp_path / 'iter_2.pth')
        with pytest.raises(CheckpointError, match=r'no whole checkpoint in .*iter_2\.pth.*--resume PATH'):
            find_last_whole_checkpoint(tmp_path)
