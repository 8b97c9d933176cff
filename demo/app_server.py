"""What the page of app.py accepts: requests by its own names, uploads up to a size, files for an hour.

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
# Seconds that a file is kept, and seconds between two sweeps.
AGE = 3600.0
_SWEEP = 30.0
# Number of uploads of the largest size that are kept at once.
_MAX_UPLOADS = 8
# Bytes of a form apart from its files.
_FORM_BYTES = 1 << 20
# What the browser may load.
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


class HostCheck:
    """ASGI middleware that answers only requests for this machine by a number or a known name.

    A foreign page can point its own name at this machine (DNS rebinding). Its script could then read ours.

    Args:
        app: The application.
        names (Iterable[str]): Names beside localhost; numbers such as 127.0.0.1 are always allowed.
    """

    def __init__(self, app: Any, names: Iterable[str] = ()) -> None:
        self.app, self.names = app, {'localhost', *(name.lower().rstrip('.') for name in names)}

    def allows(self, host: str) -> bool:
        """Whether a ``Host`` header is one of ours."""
        match = re.fullmatch(r'\[([0-9a-fA-F:.]+)\](?::\d+)?|([^:\[\]]+)(?::\d+)?', host)
        if match is None:
            return False
        name = (match[1] or match[2]).lower().rstrip('.')
        with contextlib.suppress(ValueError):
            # A number cannot be rebound.
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
            # 1008: policy violation.
            await send(dict(type='websocket.close', code=1008))
        else:
            text = (
                f'{hosts[0][:100] if hosts else "no name"} is no name of this page; start demo/app.py '
                'with --allow-host NAME to add one'
            )
            await _answer(send, 421, text)


class ContentPolicy:
    """ASGI middleware: the browser refuses whatever the page would load from elsewhere."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_policy(message: Any) -> None:
            if message['type'] == 'http.response.start':
                message = dict(
                    message,
                    headers=[*message.get('headers', []), (b'content-security-policy', POLICY.encode())],
                )
            await send(message)

        await self.app(scope, receive, with_policy if scope['type'] == 'http' else send)


class UploadLimit:
    """ASGI middleware that refuses uploads that are too large, or too many at once.

    Interrupted uploads are removed.

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
        # A length that is no number counts as too large.
        expected = int(length) if re.fullmatch(rb'\d{1,18}', length) else self.most + _FORM_BYTES + 1
        if expected > self.most + _FORM_BYTES:
            await _answer(send, 413, f'The file is too large: at most {self.most >> 20} MB are taken.')
            return
        if self.folder.size() + expected > _MAX_UPLOADS * self.most:
            await _answer(
                send,
                507,
                'There are too many videos here now; they are removed an hour after '
                'their upload. Try again later.',
            )
            return
        count, started = 0, False

        async def counting_receive() -> Any:
            nonlocal count
            message = await receive()
            count += len(message.get('body', b''))
            # A request may send more than its header says.
            if count > self.most + _FORM_BYTES:
                raise _TooLargeError
            return message

        async def noting_send(message: Any) -> None:
            nonlocal started
            started = started or message['type'] == 'http.response.start'
            await send(message)

        try:
            await self.app(scope, counting_receive, noting_send)
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
    """The files of one run of the page, in a folder that is removed with it.

    A thread removes old files and interrupted uploads.

    Args:
        parent (str, optional): Where it is made; None = the folder for temporary files.

    Attributes:
        path (Path): The folder.
        uploads (Path): Uploaded videos, and copies of the answers that the page shows.
        answers (Path): The files of an answer.
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
        """Removes files older than ``age`` seconds, and interrupted uploads.

        An upload counts as interrupted if it was not written for ``idle`` seconds.
        """
        # Gradio writes an upload into the folder itself and moves it to a subfolder when it is complete. What
        # stays there and is not open was interrupted.
        now, open_ones = time.time(), _open_files()
        for entry in self._files():
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                quiet = now - max(state.st_mtime, state.st_ctime)
                interrupted = (
                    Path(entry.path).parent == self.uploads and entry.path not in open_ones and quiet >= idle
                )
                if quiet > age or interrupted:
                    os.unlink(entry.path)
        for folder in list(self.uploads.iterdir()):
            with contextlib.suppress(OSError):
                if folder.is_dir() and now - folder.stat().st_mtime > min(age, 60):
                    # rmdir fails where the folder is not empty, so files are safe.
                    folder.rmdir()

    def wake(self) -> None:
        """Makes the thread sweep soon, since an upload ended, completely or not."""
        self._wake.set()

    def _run(self) -> None:
        while not self._ended:
            woken = self._wake.wait(_SWEEP)
            self._wake.clear()
            if woken and not self._ended:
                # Meanwhile Gradio moves the file of a complete upload.
                time.sleep(2.5)
            try:
                self.sweep()
            # One bad file must not end the cleaning.
            except Exception:
                if not self._ended:
                    logging.getLogger(__name__).exception('uploads could not be removed')

    def close(self) -> None:
        """Removes all files."""
        self._ended = True
        self._wake.set()
        shutil.rmtree(self.path, ignore_errors=True)
        atexit.unregister(self.close)


def remove_stale(parent: str) -> None:
    """Removes the folders of runs that were killed."""
    for entry in os.scandir(parent):
        match = re.fullmatch(rf'{PREFIX}(\d+)_\w+', entry.name)
        if (
            match is None
            or not entry.is_dir(follow_symlinks=False)
            or entry.stat(follow_symlinks=False).st_uid != os.getuid()
        ):
            continue
        try:
            # Signal 0 only asks whether the process still runs.
            os.kill(int(match[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(entry.path, ignore_errors=True)
        except (PermissionError, OverflowError):
            pass


def _open_files() -> Set[str]:
    """Paths of the files that this process has open, or none where the system does not say."""
    paths = set()
    with contextlib.suppress(OSError):
        for name in os.listdir('/proc/self/fd'):
            with contextlib.suppress(OSError):
                paths.add(os.readlink(f'/proc/self/fd/{name}'))
    return paths


def own_names(host: str) -> Iterable[str]:
    """Names by which other machines reach this one, where the page is open to them."""
    if host in ('127.0.0.1', 'localhost', '::1'):
        return ()
    name = socket.gethostname()
    return (host, name, f'{name.split(".")[0]}.local')
