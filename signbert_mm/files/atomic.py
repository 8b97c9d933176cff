"""Writes files and folders so that they are complete or absent, even after a kill or on a full disk."""

import contextlib
import ctypes
import errno
import os
import os.path as osp
import re
import secrets
import shutil
import sys
import tempfile
from typing import BinaryIO, Callable, Iterator, List, Union

from .locks import lock_handle, unlock_and_close

PathLike = Union[str, 'os.PathLike[str]']

# For renameat2(2), which exchanges two names in one step.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def sync_folder(path: PathLike) -> None:
    """Makes a rename or a new file in ``path`` survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def naming(path: PathLike) -> Iterator[None]:
    """Adds ``path`` to errors of the disk that are raised inside and name no file, as those of a write.

    Raises:
        OSError: What was raised inside, with ``path`` as its ``filename``.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror or os.strerror(error.errno), os.fspath(path)) from error
        raise


def write_atomic(data: bytes, path: PathLike) -> None:
    """Writes a file by :func:`open_atomic`."""
    with open_atomic(path) as file:
        file.write(data)


@contextlib.contextmanager
def open_atomic(path: PathLike) -> Iterator[BinaryIO]:
    """Opens a temporary file and renames it: ``path`` holds the old content or the new, never a part.

    The temporary file is locked while it is written. Those that killed writers left are removed. Through a
    link, the file that it names is written. A device or a pipe is written directly.

    Raises:
        OSError: Such as a full disk; it names ``path``, which is unchanged.
    """
    path = os.fspath(path)
    if osp.exists(path) and not osp.isfile(path):
        with naming(path), open(path, 'wb') as file:
            yield file
        return
    target = osp.realpath(path)
    folder, name = osp.split(target)
    os.makedirs(folder, exist_ok=True)
    remove_leftovers(folder, re.escape(name))
    handle, beside = _locked_file(name, folder)
    try:
        with naming(path):
            with os.fdopen(os.dup(handle), 'wb') as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            # mkstemp's mode 0600 would hide the file from the group.
            os.chmod(beside, 0o666 & ~_umask())
            os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    finally:
        unlock_and_close(handle)
    sync_folder(folder)


def _umask() -> int:
    # It can only be read by setting it.
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _locked_file(name: str, folder: str) -> 'tuple[int, str]':
    """A new file beside ``name``, open and locked."""
    while True:
        handle, beside = tempfile.mkstemp(prefix=f'.{name}.', suffix='.tmp', dir=folder)
        lock_handle(handle)
        # Before it was locked, another process may have removed it as a leftover.
        if osp.exists(beside):
            return handle, beside
        unlock_and_close(handle)


def remove_leftovers(folder: PathLike, names: str = r'(.+\.pth|last_checkpoint)') -> None:
    """Removes temporary files of :func:`write_atomic` whose writer was killed.

    Args:
        folder (str | Path): The folder of the files.
        names (str): Regular expression of the files' names; by default those of checkpoints.
    """
    for name in os.listdir(folder):
        if not re.fullmatch(rf'\.{names}\.\w+\.tmp', name):
            continue
        _remove_unlocked(osp.join(folder, name))


def _remove_unlocked(path: str, is_folder: bool = False) -> None:
    """Removes a file or folder, unless a writer that lives holds its lock."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
        try:
            if lock_handle(handle):
                (shutil.rmtree if is_folder else os.unlink)(path)
        finally:
            unlock_and_close(handle)


def exchange(one: PathLike, other: PathLike) -> bool:
    """Exchanges two names of one file system in one step, as Linux can.

    Returns:
        bool: False where the system or the file system cannot do it. Then nothing is changed.

    Raises:
        OSError: One of them is absent, or may not be changed.
    """
    renameat2 = (
        getattr(ctypes.CDLL(None, use_errno=True), 'renameat2', None) if sys.platform == 'linux' else None
    )
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), os.fspath(one), None, os.fspath(other))


def check_target(
    target: PathLike, overwrite: bool = False, foreign: Callable[[str], List[str]] = os.listdir
) -> None:
    """Refuses a folder that exists, unless it is to be replaced and nothing else would be lost with it.

    Args:
        target (str | Path): The folder.
        overwrite (bool): Replace what is there.
        foreign (Callable[[str], list[str]]): Names in a folder that exists which are not of what is written
            there. By default these are all, so that an empty folder alone is replaced.

    Raises:
        FileExistsError: It is there, and stays.
    """
    target = osp.realpath(target)
    if not osp.lexists(target):
        return
    if not osp.isdir(target):
        raise FileExistsError(f'{target} exists and is no folder; choose another folder')
    kept = foreign(target)
    if kept:
        raise FileExistsError(
            f'{target} exists and holds {kept[0]!r}, which would be lost; choose another folder'
        )
    if not overwrite:
        raise FileExistsError(
            f'{target} exists; choose another folder, or overwrite=True (--overwrite) to replace it'
        )


class PendingFolder:
    """A folder that is filled under another name and renamed in one step.

    Until :meth:`publish` it is ``.NAME.partial-XXXX``, locked by this process. Making one removes what killed
    writers of the same folder left, and restores a folder that one of them had renamed. Where the target is a
    link, all this is done with the folder that it names.

    Args:
        target (str | Path): The final path; its parent is made where absent.
        overwrite, foreign: As for :func:`check_target`, which is asked now and before the renaming.

    Attributes:
        path (str): The path until :meth:`publish`.

    Raises:
        FileExistsError: As :func:`check_target`.
    """

    def __init__(
        self,
        target: PathLike,
        overwrite: bool = False,
        foreign: Callable[[str], List[str]] = os.listdir,
    ) -> None:
        self.target = osp.realpath(target)
        self._rules = overwrite, foreign
        parent, name = osp.split(self.target)
        os.makedirs(parent, exist_ok=True)
        restore_folder(self.target)
        check_target(self.target, *self._rules)
        for left in _pending(self.target):
            _remove_unlocked(left, is_folder=True)
        while True:
            self.path = osp.join(parent, f'.{name}.partial-{secrets.token_hex(4)}')
            os.mkdir(self.path)
            try:
                self._handle = os.open(self.path, os.O_RDONLY)
            except FileNotFoundError:
                # Another process removed it as a leftover before it was locked.
                continue
            lock_handle(self._handle)
            if osp.isdir(self.path):
                break
            unlock_and_close(self._handle)

    def publish(self) -> None:
        """Renames the folder to its target, and then removes the one that it replaces.

        Raises:
            FileExistsError: As :func:`check_target`.
        """
        sync_folder(self.path)
        check_target(self.target, *self._rules)
        parent = osp.dirname(self.target)
        old = f'{self.path}-old'
        if not osp.lexists(self.target):
            os.rename(self.path, self.target)
        elif exchange(self.path, self.target):
            old = self.path
        else:
            # After a kill between the two, restore_folder renames the old folder back.
            os.rename(self.target, old)
            os.rename(self.path, self.target)
        sync_folder(parent)
        shutil.rmtree(old, ignore_errors=True)
        self._release()

    def discard(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._release()

    def _release(self) -> None:
        if self._handle >= 0:
            unlock_and_close(self._handle)
            self._handle = -1


def _pending(target: str) -> List[str]:
    parent, name = osp.split(target)
    pattern = re.compile(rf'\.{re.escape(name)}\.partial-\w+(-old)?')
    return [osp.join(parent, found) for found in sorted(os.listdir(parent)) if pattern.fullmatch(found)]


def restore_folder(target: PathLike) -> bool:
    """Renames a folder back that a killed :meth:`PendingFolder.publish` had renamed.

    Returns:
        bool: Whether there was one.
    """
    target = osp.realpath(target)
    parent = osp.dirname(target)
    if osp.lexists(target) or not osp.isdir(parent):
        return False
    for old in [path for path in _pending(target) if path.endswith('-old')]:
        new = old[: -len('-old')]
        with contextlib.suppress(OSError):
            handle = os.open(new, os.O_RDONLY) if osp.isdir(new) else -1
            try:
                if handle >= 0 and not lock_handle(handle):
                    # Its writer lives and is about to publish the new one.
                    continue
                os.rename(old, target)
                return True
            finally:
                if handle >= 0:
                    unlock_and_close(handle)
    return False
