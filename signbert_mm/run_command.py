"""Runs a command line tool: its errors as one line, and what signals do. Nothing heavy is imported."""

import contextlib
import os
import signal
import sys
import threading
from typing import Any, Callable, Iterator

from .errors import UserError
from .files.os_errors import describe_os_error


def run_command(main: Callable[[], None]) -> None:
    """Runs a tool; a :class:`~signbert_mm.errors.UserError` or an error of the system ends in one line.

    ``SIGNBERT_MM_TRACEBACK=1`` shows their traceback; a fault of the program always has it. Ctrl-C ends with
    a shell's status, 130, and SIGTERM with 143.
    """
    try:
        with cleaning_up():
            main()
    except Exception as error:
        if not isinstance(error, (UserError, OSError)) or os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
            raise
        # The reader of a pipe has gone: `tool | head`.
        if isinstance(error, BrokenPipeError) and error.filename is None:
            _drop_output()
            sys.exit(1)
        text = describe_os_error(error) if isinstance(error, OSError) else error
        sys.exit(f'{type(error).__name__.removeprefix("User")}: {text}')
    except KeyboardInterrupt:
        if os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
            raise
        print('interrupted', file=sys.stderr)
        sys.exit(130)


def _drop_output() -> None:
    """Lets the interpreter end without another complaint about a closed stdout."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end(signum: int, frame: Any) -> None:
    """Leaves through every ``with`` and ``finally``, with a shell's status for the signal."""
    if os.getpid() != end.process:
        die(signum)
    raise SystemExit(128 + signum)


def die(signum: int) -> None:
    """Ends a forked child, which has inherited the handler, as the signal alone would."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)


@contextlib.contextmanager
def handling(handler: Callable, replaceable: tuple) -> Iterator[bool]:
    """Sets a handler of SIGTERM in place of one of ``replaceable``; yields whether it did."""
    # Python lets the main thread alone set handlers.
    main_thread = threading.current_thread() is threading.main_thread()
    old = signal.getsignal(signal.SIGTERM)
    if not main_thread or old not in replaceable:
        yield False
        return
    signal.signal(signal.SIGTERM, handler)
    try:
        yield True
    finally:
        signal.signal(signal.SIGTERM, old)


@contextlib.contextmanager
def cleaning_up() -> Iterator[None]:
    """SIGTERM ends what runs inside as an exception would, so that half-written folders are removed."""
    end.process = os.getpid()
    with handling(end, (signal.SIG_DFL,)):
        yield
