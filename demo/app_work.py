"""Work of the page that takes a while: its steps, then its result or, in words, why there is none."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Callable, Iterator, List, NamedTuple, Union

from app_analysis import Progress

from signbert_mm.errors import UserError


class Step(NamedTuple):
    """The share that is done, and what is being done."""

    share: float
    what: str


class Done(NamedTuple):
    """The end: the result, or an error in words for the user of the page; and the seconds that it took."""

    result: Any
    error: str
    seconds: float


class _LeftError(Exception):
    """The client has left. Ends the work at its next step."""


def in_steps(work: Callable[[Progress], Any]) -> Iterator[Union[Step, Done]]:
    """Runs ``work(progress)`` in a thread and yields how far it is, last of all :class:`Done`.

    Closing the iterator returns at once; the work then ends at its next call of ``progress``.
    """
    start, client_left = time.monotonic(), threading.Event()
    steps: List[Step] = [Step(0.0, 'opening the video')]

    def progress(share: float, what: str) -> None:
        if client_left.is_set():
            raise _LeftError
        steps.append(Step(share, what))

    pool = ThreadPoolExecutor(1)
    future = pool.submit(work, progress)
    pool.shutdown(wait=False)
    try:
        while not future.done():
            yield steps[-1]
            wait([future], timeout=0.4)
    finally:
        # The client may have left. This thread serves all requests, so it must not wait for the work.
        client_left.set()
    error = future.exception()
    yield Done(None if error else future.result(), in_words(error) if error else '', time.monotonic() - start)


def in_words(error: BaseException) -> str:
    """An error for the user of the page; one that should not happen is logged in full."""
    # An error of the system has a number. One without is ours, written for users.
    if isinstance(error, UserError) or getattr(error, 'errno', 0) is None:
        return str(error)
    logging.getLogger(__name__).error('the page could not answer', exc_info=error)
    return (
        f'An error that should not happen, {type(error).__name__}: {error}. The terminal of demo/app.py has '
        'the details.'
    )
