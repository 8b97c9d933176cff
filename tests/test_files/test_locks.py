import os

import pytest

from signbert_mm.files import FolderInUse, folder_lock
from signbert_mm.files.locks import lock_handle, unlock_and_close


def in_another_process(function):
    """What ``function`` says there: 'yes', or the text of its error."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            function()
            text = 'yes'
        except BaseException as error:
            text = str(error)
        os.write(write, text.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as file:
        return file.read()


def take(folder):
    with folder_lock(folder, '.lock', 'training'):
        pass


def test_one_process_at_a_time(tmp_path):
    folder = tmp_path / 'new' / 'work'
    with folder_lock(folder, '.lock', 'training'):
        said = in_another_process(lambda: take(folder))
        assert f'{folder}: another training is at work in this folder (process {os.getpid()} on ' in said
        assert 'choose another one, or wait' in said
        with folder_lock(folder, '.lock', 'training'):  # this process may
            pass
        assert 'another training' in in_another_process(lambda: take(folder))
        assert in_another_process(lambda: take(tmp_path / 'other')) == 'yes'
    assert in_another_process(lambda: take(folder)) == 'yes'
    take(folder)


def test_an_error_inside_lets_go(tmp_path):
    with pytest.raises(KeyError), folder_lock(tmp_path, '.lock', 'training'):
        raise KeyError
    assert in_another_process(lambda: take(tmp_path)) == 'yes'


def test_a_child_does_not_keep_the_lock_of_its_parent(tmp_path):
    """A loader's worker outlives a killed training by seconds, and a resumed one must not wait for it."""
    read, write = os.pipe()
    child = os.fork()
    if not child:  # the training
        with folder_lock(tmp_path, '.lock', 'training'):
            if not os.fork():  # its worker
                os.close(write)
                os.read(read, 1)  # until the test ends
                os._exit(0)
            os._exit(0)  # as a kill: no `with` is left
    os.waitpid(child, 0)
    take(tmp_path)
    os.close(write)
    os.close(read)


def test_damaged_records_of_a_holder_do_no_harm(tmp_path):
    handle = os.open(tmp_path / '.lock', os.O_RDWR | os.O_CREAT)
    os.write(handle, b'{"process": 3')
    assert lock_handle(handle)
    with pytest.raises(FolderInUse, match=r'another training is at work in this folder; choose'):
        take(tmp_path)
    unlock_and_close(handle)
    unlock_and_close(handle)
    take(tmp_path)
