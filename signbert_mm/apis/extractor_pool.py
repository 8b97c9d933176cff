"""Pose extractors for streams that run at the same time."""

import logging
import threading
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional

from mmengine.logging import print_log

from ..errors import UserRuntimeError

PATIENCE = 5.0  # seconds that a stream waits before it says so


class ExtractorPool:
    """Lends an extractor to one stream at a time: it remembers the frames before, and its native code may not
    be entered twice.

    Of a name or a config there are as many extractors as streams at the same time; they are kept for the next
    ones. An extractor that was given as an object is the only one, and other threads wait for it.

    Args:
        source (str | dict | PoseExtractor): As :func:`signbert_mm.extraction.build_extractor` takes it; the
            first is built on first use.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._first: Any = None
        self._idle: List[Any] = []
        self._lock = threading.Lock()
        self._single = threading.Lock()
        self._holder: Optional[int] = None  # the thread that has the only one

    @property
    def first(self) -> Any:
        """One of them, to be asked for its layout and name."""
        with self._lock:
            if self._first is None:
                self._first = self._build()
                self._idle.append(self._first)
            return self._first

    def _build(self) -> Any:
        from ..extraction import build_extractor

        return build_extractor(self._source)

    @contextmanager
    def lend(self) -> Iterator[Any]:
        """An extractor that no other stream has until the block ends.

        Raises:
            RuntimeError: The only one is at work in this thread already.
        """
        if self.first is self._source:
            with self._only() as extractor:
                yield extractor
            return
        with self._lock:
            extractor = self._idle.pop() if self._idle else None
        if extractor is None:
            extractor = self._build()
        try:
            yield extractor
        finally:
            with self._lock:
                self._idle.append(extractor)

    @contextmanager
    def _only(self) -> Iterator[Any]:
        if self._holder == threading.get_ident():
            raise UserRuntimeError(
                f'the extractor {self._source!r} is at work on another stream of this thread; close that one '
                'first, or give the '
                'extractor by its name or config, so that each stream gets its own'
            )
        if not self._single.acquire(timeout=PATIENCE):
            print_log(
                'waiting for the extractor, which another thread uses; given by its name or config there is '
                'one for each thread',
                'current',
                logging.WARNING,
            )
            self._single.acquire()
        self._holder = threading.get_ident()
        try:
            yield self._source
        finally:
            self._holder = None
            self._single.release()
