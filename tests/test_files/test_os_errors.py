"""Places that the system refuses, in one sentence."""

import argparse
import errno
import os

import pytest

from signbert_mm.files import os_errors
from signbert_mm.files.os_errors import (
    check_writable,
    describe_os_error,
    figure_path,
    output_file,
    output_path,
)


def test_sentences(tmp_path):
    text = describe_os_error(PermissionError(errno.EACCES, 'Permission denied', 'ro/out'))
    assert text == (
        'ro/out: Permission denied; this user may not read or write there; name another place, '
        'or '
        'change its permissions'
    )
    assert describe_os_error(OSError(errno.ENOSPC, 'No space left on device')).startswith(
        'No space left on device; free space'
    )
    assert describe_os_error(OSError(errno.EXDEV, 'Invalid cross-device link', 'a', None, 'b')).startswith(
        'a -> b: Invalid'
    )
    assert (
        describe_os_error(OSError('Cannot find empty port in range: 7860-7860'))
        == 'Cannot find empty port in range: 7860-7860'
    )
    (tmp_path / 'file').write_text('')
    for broken in (
        lambda: os.makedirs(tmp_path / 'file' / 'x'),
        (tmp_path).read_text,
        lambda: os.mkdir(tmp_path),
    ):
        with pytest.raises(OSError) as caught:
            broken()
        assert str(tmp_path) in describe_os_error(caught.value) and 'name another place' in describe_os_error(
            caught.value
        )


def test_check_writable(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    for good in ('new', 'new/a/b.json', 'file', ''):
        check_writable(tmp_path / good)
    assert [path.name for path in tmp_path.iterdir()] == ['file']  # nothing was made
    with pytest.raises(NotADirectoryError, match='file/x'):
        check_writable(tmp_path / 'file' / 'x' / 'y.json')
    (tmp_path / 'link').symlink_to(tmp_path / 'absent' / 'target')
    check_writable(tmp_path / 'link')
    os.mkfifo(tmp_path / 'pipe')
    check_writable(tmp_path / 'pipe')
    # A file that may be written, in a folder where nothing may be made.
    monkeypatch.setattr(os_errors.os, 'access', lambda place, mode: not mode & os.X_OK)
    check_writable(tmp_path / 'pipe')
    with pytest.raises(PermissionError) as caught:
        check_writable(tmp_path / 'file')
    assert caught.value.filename == str(tmp_path)
    monkeypatch.setattr(os_errors.os, 'access', lambda place, mode: False)  # root may write anywhere
    with pytest.raises(PermissionError, match=str(tmp_path)):
        check_writable(tmp_path / 'new' / 'a')
    with pytest.raises(argparse.ArgumentTypeError, match='Permission denied; this user may not'):
        output_path(str(tmp_path / 'new'))
    monkeypatch.setattr(os_errors.os, 'statvfs', lambda place: argparse.Namespace(f_flag=os.ST_RDONLY))
    with pytest.raises(OSError, match='Read-only file system'):
        check_writable(tmp_path / 'new')


def test_the_ending_of_a_picture(tmp_path):
    assert figure_path(str(tmp_path / 'a.PNG')) == str(tmp_path / 'a.PNG')
    for name in ('a.txt', 'a'):
        with pytest.raises(argparse.ArgumentTypeError, match=rf'{name}: the ending says the format'):
            figure_path(str(tmp_path / name))


@pytest.mark.parametrize('kind', [output_file, figure_path])
def test_a_folder_is_no_file(tmp_path, kind):
    (tmp_path / 'a.png').mkdir()
    with pytest.raises(argparse.ArgumentTypeError, match='a.png: a folder is there, and a file is meant'):
        kind(str(tmp_path / 'a.png'))
    assert kind(str(tmp_path / 'a.png' / 'new' / 'b.png')).endswith('b.png')
