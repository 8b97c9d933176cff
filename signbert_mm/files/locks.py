"""Locks that the system releases when their process ends, however it ends."""

import contextlib
import errno
import json
import os
import os.path as osp
import socket
import time
from typing import Dict, Iterator, Set, Tuple, Union

from ..errors import UserRuntimeError

try:
    import fcntl
except ModuleNotFoundError:
    # Windows
    fcntl = None

PathLike = Union[str, 'os.PathLike[str]']

# Path of a lock -> its handle, and how often this process holds it.
_held: Dict[str, Tuple[int, int]] = {}
# Handles that this process has locked.
_open: Set[int] = set()


def _forget_in_child() -> None:
    # A forked child shares its parent's locks, and would keep them after the parent is killed.
    for handle in _open:
        with contextlib.suppress(OSError):
            os.close(handle)
    _open.clear()
    _held.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_forget_in_child)


class FolderInUse(UserRuntimeError):
    """Another process works in a folder; the message names it."""


def lock_handle(handle: int) -> bool:
    """Locks an open file or folder, without waiting.

    Returns:
        bool: False if another process holds the lock, or the system or the file system has no locks.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    _open.add(handle)
    return True


def unlock_and_close(handle: int) -> None:
    """Releases a lock, if it was taken, and closes the handle."""
    if fcntl is not None and handle in _open:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
    _open.discard(handle)
    # A forked child may have closed it.
    with contextlib.suppress(OSError):
        os.close(handle)


@contextlib.contextmanager
def turn(folder: PathLike) -> Iterator[None]:
    """Waits until no other process is inside for the same folder; leaves no file.

    It is for writes that take moments. Where the system or the file system cannot lock folders, it does not
    wait.
    """
    handle = os.open(folder, os.O_RDONLY) if fcntl is not None else -1
    try:
        if handle >= 0:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
                _open.add(handle)
        yield
    finally:
        if handle >= 0:
            unlock_and_close(handle)


@contextlib.contextmanager
def folder_lock(folder: PathLike, name: str, what: str) -> Iterator[None]:
    """Reserves a folder for one process, which may lock it again inside.

    Args:
        folder (str | Path): Made where absent.
        name (str): Of the lock file; it stays, and names the last process.
        what (str): What the process does there, for messages: 'training'.

    Raises:
        FolderInUse: Another process holds it; the message says which.
    """
    folder = osp.realpath(os.fspath(folder))
    path = osp.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    if path in _held:
        handle, count = _held[path]
        _held[path] = handle, count + 1
    else:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(handle, folder, what)
        except BaseException:
            os.close(handle)
            raise
        _held[path] = handle, 1
    try:
        yield
    finally:
        handle, count = _held.pop(path, (-1, 0))
        if count > 1:
            _held[path] = handle, count - 1
        elif count == 1:
            unlock_and_close(handle)


def _take(handle: int, folder: str, what: str) -> None:
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise FolderInUse(
                    f'{folder}: another {what} is at work in this folder{_holder(handle)}; choose another '
                    'one, or wait until it has ended'
                ) from None
            # A file system without locks: go on as if alone.
        else:
            _open.add(handle)
    record = dict(process=os.getpid(), host=socket.gethostname(), since=time.strftime('%Y-%m-%d %H:%M:%S'))
    # The record is for messages only. On a full disk the writes that follow fail.
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(record).encode(), 0)


def _holder(handle: int) -> str:
    try:
        record = json.loads(os.pread(handle, 1000, 0))
        return f' (process {record["process"]} on {record["host"]}, since {record["since"]})'
    except (OSError, ValueError, KeyError, TypeError):
        return ''
