import errno
import os
import signal
import sys
import threading

import pytest

from signbert_mm.files import atomic
from signbert_mm.files.atomic import (
    PendingFolder,
    check_target,
    exchange,
    naming,
    open_atomic,
    remove_leftovers,
    restore_folder,
    write_atomic,
)


def killed(function):
    """Runs ``function`` in a process that is then killed, whatever it held."""
    child = os.fork()
    if not child:
        try:
            function()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def fill(path, text):
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, 'a'), 'w') as file:
        file.write(text)


def content(path):
    with open(os.path.join(path, 'a')) as file:
        return file.read()


def not_a(folder):
    return sorted({*os.listdir(folder)} - {'a'})


class TestWriteAtomic:
    def test_what_a_killed_writer_left_goes_with_the_next(self, tmp_path, monkeypatch):
        write_atomic(b'old', tmp_path / 'a.json')

        def write():
            monkeypatch.setattr(atomic.os, 'fsync', lambda handle: kill())
            write_atomic(b'new', tmp_path / 'a.json')

        killed(write)
        assert (tmp_path / 'a.json').read_bytes() == b'old' and len(os.listdir(tmp_path)) == 2
        write_atomic(b'new', tmp_path / 'a.json')
        assert os.listdir(tmp_path) == ['a.json'] and (tmp_path / 'a.json').read_bytes() == b'new'

    def test_what_a_living_writer_writes_stays(self, tmp_path):
        handle, beside = atomic._locked_file('a.json', str(tmp_path))
        write_atomic(b'mine', tmp_path / 'a.json')
        remove_leftovers(tmp_path, r'a\.json')
        assert os.path.exists(beside)
        atomic.unlock_and_close(handle)
        remove_leftovers(tmp_path, r'b\.json')
        assert os.path.exists(beside)
        remove_leftovers(tmp_path, r'a\.json')
        assert os.listdir(tmp_path) == ['a.json']

    def test_what_fails_while_it_writes_leaves_the_old_file(self, tmp_path):
        write_atomic(b'old', tmp_path / 'a')
        with (
            pytest.raises(OSError, match=r'No space left on device: .*/a'),
            open_atomic(tmp_path / 'a') as file,
        ):
            file.write(b'ne')
            raise OSError(errno.ENOSPC, 'No space left on device')
        assert os.listdir(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'old'
        with open_atomic(tmp_path / 'a') as file:
            file.write(b'ne')
            assert (tmp_path / 'a').read_bytes() == b'old'
            file.write(b'w')
        assert os.listdir(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'new'

    def test_a_full_disk_names_the_file_and_leaves_the_old_one(self, tmp_path, monkeypatch):
        write_atomic(b'old', tmp_path / 'a')

        def full(handle):
            raise OSError(errno.ENOSPC, 'No space left on device')

        monkeypatch.setattr(atomic.os, 'fsync', full)
        with pytest.raises(OSError, match=r'No space left on device: .*/a') as caught:
            write_atomic(b'new', tmp_path / 'a')
        assert caught.value.errno == errno.ENOSPC
        assert os.listdir(tmp_path) == ['a'] and (tmp_path / 'a').read_bytes() == b'old'

    def test_through_a_link_its_file_is_written(self, tmp_path):
        (tmp_path / 'far').mkdir()
        for name in ('there', 'new'):
            (tmp_path / name).symlink_to(tmp_path / 'far' / name)
        (tmp_path / 'far' / 'there').write_bytes(b'old')
        for name in ('there', 'new'):
            write_atomic(b'new', tmp_path / name)
            assert (tmp_path / name).is_symlink() and (tmp_path / 'far' / name).read_bytes() == b'new'
        assert sorted(os.listdir(tmp_path)) == ['far', 'new', 'there']
        assert sorted(os.listdir(tmp_path / 'far')) == ['new', 'there']

    @pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no named pipes')
    def test_a_pipe_stays_and_gets_the_bytes(self, tmp_path):
        os.mkfifo(tmp_path / 'pipe')
        read = []
        reader = threading.Thread(target=lambda: read.append((tmp_path / 'pipe').read_bytes()), daemon=True)
        reader.start()
        write_atomic(b'bytes', tmp_path / 'pipe')
        reader.join(10)
        assert read == [b'bytes'] and (tmp_path / 'pipe').is_fifo() and os.listdir(tmp_path) == ['pipe']

    def test_a_folder_is_named(self, tmp_path):
        (tmp_path / 'a').mkdir()
        with pytest.raises(IsADirectoryError, match='/a'):
            write_atomic(b'', tmp_path / 'a')
        assert os.listdir(tmp_path) == ['a'] and not os.listdir(tmp_path / 'a')

    def test_errors_that_have_a_name_keep_it(self, tmp_path):
        with pytest.raises(FileNotFoundError) as caught, naming('other'):
            (tmp_path / 'absent').read_bytes()
        assert caught.value.filename == str(tmp_path / 'absent')


class TestPendingFolder:
    def test_it_is_there_when_it_is_published(self, tmp_path):
        pending = PendingFolder(tmp_path / 'in' / 'store')
        fill(pending.path, 'one')
        assert not (tmp_path / 'in' / 'store').exists() and os.path.basename(pending.path).startswith(
            '.store.partial-'
        )
        pending.publish()
        assert content(tmp_path / 'in' / 'store') == 'one' and os.listdir(tmp_path / 'in') == ['store']

    def test_nothing_is_replaced_unless_it_was_asked_for(self, tmp_path):
        pending = PendingFolder(tmp_path / 'store', foreign=not_a)
        fill(tmp_path / 'store', 'one')
        with pytest.raises(FileExistsError, match=r'store exists; choose another folder, or overwrite=True'):
            pending.publish()
        pending.discard()
        with pytest.raises(FileExistsError, match='store exists; choose'):
            PendingFolder(tmp_path / 'store', foreign=not_a)
        assert content(tmp_path / 'store') == 'one' and os.listdir(tmp_path) == ['store']

    def test_what_is_of_something_else_is_never_replaced(self, tmp_path):
        fill(tmp_path / 'store', 'one')
        pending = PendingFolder(tmp_path / 'store', True, not_a)
        fill(pending.path, 'two')
        (tmp_path / 'store' / 'mine').write_text('mine')
        # It came while the new folder was filled.
        with pytest.raises(FileExistsError, match="store exists and holds 'mine', which would be lost"):
            pending.publish()
        pending.discard()
        with pytest.raises(FileExistsError, match="holds 'mine'"):
            PendingFolder(tmp_path / 'store', True, not_a)
        with pytest.raises(FileExistsError, match="holds 'mine'"):
            check_target(tmp_path / 'store', False, not_a)
        with pytest.raises(FileExistsError, match='store/mine exists and is no folder'):
            check_target(tmp_path / 'store' / 'mine', True, not_a)
        assert not_a(tmp_path / 'store') == ['mine'] and os.listdir(tmp_path) == ['store']

    def test_an_empty_folder_is_replaced_when_told(self, tmp_path):
        (tmp_path / 'store').mkdir()
        pending = PendingFolder(tmp_path / 'store', True)
        fill(pending.path, 'one')
        pending.publish()
        assert content(tmp_path / 'store') == 'one' and os.listdir(tmp_path) == ['store']

    def test_of_a_link_the_folder_that_it_names_is_replaced(self, tmp_path):
        fill(tmp_path / 'big' / 'store', 'old')
        (tmp_path / 'link').symlink_to(tmp_path / 'big' / 'store')
        pending = PendingFolder(tmp_path / 'link', True, not_a)
        fill(pending.path, 'new')
        pending.publish()
        assert (tmp_path / 'link').is_symlink() and content(tmp_path / 'big' / 'store') == 'new'
        assert sorted(os.listdir(tmp_path)) == ['big', 'link'] and os.listdir(tmp_path / 'big') == ['store']

    @pytest.mark.parametrize('can_exchange', [True, False])
    @pytest.mark.parametrize('step', ['rename', 'exchange', 'rmtree'])
    def test_a_kill_at_any_step_leaves_the_old_or_the_new(self, tmp_path, monkeypatch, can_exchange, step):
        fill(tmp_path / 'store', 'old')

        def replace():
            pending = PendingFolder(tmp_path / 'store', True, not_a)
            fill(pending.path, 'new')
            if not can_exchange:
                monkeypatch.setattr(atomic, 'exchange', lambda one, other: False)
            if step == 'rename':  # after the first of two
                rename = os.rename
                monkeypatch.setattr(atomic.os, 'rename', lambda *names: (rename(*names), kill()))
            elif step == 'exchange':
                monkeypatch.setattr(atomic, 'exchange', lambda *names: kill())
            else:
                monkeypatch.setattr(atomic.shutil, 'rmtree', lambda *names, **_: kill())
            pending.publish()

        killed(replace)
        restore_folder(tmp_path / 'store')
        assert content(tmp_path / 'store') == (
            'new' if step == 'rmtree' or (step == 'rename' and can_exchange) else 'old'
        )
        PendingFolder(tmp_path / 'store', True, not_a).discard()
        assert os.listdir(tmp_path) == ['store']

    def test_folders_of_living_writers_and_of_others_stay(self, tmp_path):
        living, other = PendingFolder(tmp_path / 'store'), PendingFolder(tmp_path / 'store2')
        killed(lambda: PendingFolder(tmp_path / 'store'))
        assert len(os.listdir(tmp_path)) == 3
        second = PendingFolder(tmp_path / 'store')
        assert sorted(os.listdir(tmp_path)) == sorted(
            os.path.basename(one.path) for one in (living, other, second)
        )
        for one in (living, other, second):
            one.discard()
            one.discard()
        assert not os.listdir(tmp_path)

    def test_a_writer_that_is_about_to_rename_is_not_overtaken(self, tmp_path):
        pending = PendingFolder(tmp_path / 'store')
        fill(f'{pending.path}-old', 'old')
        assert not restore_folder(tmp_path / 'store')
        pending.discard()
        assert (
            restore_folder(tmp_path / 'store')
            and content(tmp_path / 'store') == 'old'
            and not restore_folder(tmp_path / 'store')
        )


@pytest.mark.skipif(sys.platform != 'linux', reason='renameat2 is of Linux')
def test_exchange(tmp_path):
    fill(tmp_path / 'a', 'one')
    fill(tmp_path / 'b', 'two')
    if exchange(tmp_path / 'a', tmp_path / 'b'):
        assert content(tmp_path / 'a') == 'two' and content(tmp_path / 'b') == 'one'
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / 'a', tmp_path / 'absent')
