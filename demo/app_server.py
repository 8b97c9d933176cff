"""What the page of app.py lets in: requests by its own names, uploads up to a size, and files for an hour.

Needs no Gradio.
"""

import atexit
import contextlib
import ipaddress
import logging
import os
import re
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, Set

PREFIX = 'signbert_mm_page_'
AGE = 3600.0  # seconds that a file is kept
_SWEEP = 30.0
_MANY = 8  # uploads of the largest size that are kept at once
_FORM_BYTES = 1 << 20  # what a form takes beside its files


class HostCheck:
    """ASGI middleware: answers only where the request names this machine as people do, by a number or a known
    name.

    A page elsewhere can point a name of its own at this machine (DNS rebinding), and its script would then
    read ours.

    Args:
        app: The application.
        names (Iterable[str]): Names beside localhost; numbers such as 127.0.0.1 are always allowed.
    """

    def __init__(self, app: Any, names: Iterable[str] = ()) -> None:
        self.app, self.names = app, {'localhost', *(name.lower().rstrip('.') for name in names)}

    def allows(self, host: str) -> bool:
        """Whether a ``Host`` header is one of ours."""
        found = re.fullmatch(r'\[([0-9a-fA-F:.]+)\](?::\d+)?|([^:\[\]]+)(?::\d+)?', host)
        if found is None:
            return False
        name = (found[1] or found[2]).lower().rstrip('.')
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return True
        return name in self.names

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope['type'] not in ('http', 'websocket'):
            await self.app(scope, receive, send)
            return
        hosts = [value.decode('latin1') for key, value in scope.get('headers', ()) if key.lower() == b'host']
        if len(hosts) == 1 and self.allows(hosts[0]):
            await self.app(scope, receive, send)
        elif scope['type'] == 'websocket':
            await send(dict(type='websocket.close', code=1008))
        else:
            text = (
                f'{hosts[0][:100] if hosts else "no name"} is no name of this page; start demo/app.py '
                'with --allow-host NAME to add one'
            )
            await _answer(send, 421, text)


class UploadLimit:
    """ASGI middleware: refuses uploads that are too large, or too many at once, and removes those that broke
    off.

    Args:
        app: The application.
        folder (UploadFolder): Where uploads go.
        most (int): Bytes of an upload.
    """

    def __init__(self, app: Any, folder: 'UploadFolder', most: int) -> None:
        self.app, self.folder, self.most = app, folder, most

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if (
            scope['type'] != 'http'
            or scope['method'] != 'POST'
            or not scope['path'].rstrip('/').endswith('/upload')
        ):
            await self.app(scope, receive, send)
            return
        length = next((value for key, value in scope['headers'] if key.lower() == b'content-length'), b'0')
        expected = int(length) if re.fullmatch(rb'\d{1,18}', length) else self.most + _FORM_BYTES + 1
        if expected > self.most + _FORM_BYTES:
            await _answer(send, 413, f'The file is too large: at most {self.most >> 20} MB are taken.')
            return
        if self.folder.size() + expected > _MANY * self.most:
            await _answer(
                send,
                507,
                'There are too many videos here now; they are removed an hour after '
                'their upload. Try again later.',
            )
            return
        count, started = 0, False

        async def counted() -> Any:
            nonlocal count
            message = await receive()
            count += len(message.get('body', b''))
            if count > self.most + _FORM_BYTES:
                raise _TooLargeError
            return message

        async def noted(message: Any) -> None:
            nonlocal started
            started = started or message['type'] == 'http.response.start'
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _TooLargeError:
            if not started:
                await _answer(send, 413, f'The file is too large: at most {self.most >> 20} MB are taken.')
        finally:
            self.folder.wake()


class _TooLargeError(Exception):
    pass


async def _answer(send: Any, status: int, text: str) -> None:
    body = text.encode()
    headers = [
        (b'content-type', b'text/plain; charset=utf-8'),
        (b'content-length', str(len(body)).encode()),
        (b'connection', b'close'),
    ]
    await send(dict(type='http.response.start', status=status, headers=headers))
    await send(dict(type='http.response.body', body=body))


class UploadFolder:
    """The files of one run of the page, in a folder of its own that goes with it; a thread removes what is
    old or broke off.

    Args:
        parent (str, optional): Where it is made; None = the folder for temporary files.

    Attributes:
        path (Path): The whole folder.
        uploads (Path): Videos that came in, and copies of the answers that the page shows.
        answers (Path): What an answer consists of.
    """

    def __init__(self, parent: Optional[str] = None) -> None:
        parent = parent or tempfile.gettempdir()
        remove_stale(parent)
        self.path = Path(tempfile.mkdtemp(prefix=f'{PREFIX}{os.getpid()}_', dir=parent)).resolve()
        self.uploads, self.answers = self.path / 'uploads', self.path / 'answers'
        self.uploads.mkdir()
        self.answers.mkdir()
        self._wake, self._ended = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name='uploads', daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def _files(self) -> Iterator[os.DirEntry]:
        todo = [self.uploads]
        while todo:
            with contextlib.suppress(FileNotFoundError), os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(Path(entry.path))
                    else:
                        yield entry

    def size(self) -> int:
        """Bytes of all uploads."""
        total = 0
        for entry in self._files():
            with contextlib.suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_size
        return total

    def sweep(self, age: float = AGE, idle: float = 2.0) -> None:
        """Removes files older than ``age`` seconds, and what an upload that broke off left.

        Gradio writes an upload into the folder itself and moves it into one of its own when it is whole. So
        what lies there, is not open, and was not written for ``idle`` seconds, broke off.
        """
        now, open_ones = time.time(), _open_files()
        for entry in self._files():
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                quiet = now - max(state.st_mtime, state.st_ctime)
                broken = (
                    Path(entry.path).parent == self.uploads and entry.path not in open_ones and quiet >= idle
                )
                if quiet > age or broken:
                    os.unlink(entry.path)
        for folder in list(self.uploads.iterdir()):
            with contextlib.suppress(OSError):
                if folder.is_dir() and now - folder.stat().st_mtime > min(age, 60):
                    folder.rmdir()  # only where it is empty

    def wake(self) -> None:
        """An upload ended, well or not: look soon."""
        self._wake.set()

    def _run(self) -> None:
        while not self._ended:
            woken = self._wake.wait(_SWEEP)
            self._wake.clear()
            if woken and not self._ended:
                time.sleep(2.5)  # the file of an upload that is whole is moved meanwhile
            try:
                self.sweep()
            except Exception:  # one bad file must not end the cleaning
                if not self._ended:
                    logging.getLogger(__name__).exception('uploads could not be removed')

    def close(self) -> None:
        """Removes everything."""
        self._ended = True
        self._wake.set()
        shutil.rmtree(self.path, ignore_errors=True)
        atexit.unregister(self.close)


def remove_stale(parent: str) -> None:
    """Removes the folders of runs that were killed."""
    for entry in os.scandir(parent):
        found = re.fullmatch(rf'{PREFIX}(\d+)_\w+', entry.name)
        if (
            found is None
            or not entry.is_dir(follow_symlinks=False)
            or entry.stat(follow_symlinks=False).st_uid != os.getuid()
        ):
            continue
        try:
            os.kill(int(found[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(entry.path, ignore_errors=True)
        except (PermissionError, OverflowError):
            pass


def _open_files() -> Set[str]:
    """Paths of the files that this process has open; where the system does not say, none."""
    found = set()
    with contextlib.suppress(OSError):
        for name in os.listdir('/proc/self/fd'):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f'/proc/self/fd/{name}'))
    return found


def own_names(host: str) -> Iterable[str]:
    """Names of this machine that others use, where the page is open to them."""
    if host in ('127.0.0.1', 'localhost', '::1'):
        return ()
    name = socket.gethostname()
    return (host, name, f'{name.split(".")[0]}.local')
