"""Pose extractors for several streams at once."""

import logging
import threading
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional

from ..errors import UserRuntimeError
from ..logs import print_log

# Seconds that a stream waits for an extractor before it logs a warning.
PATIENCE = 5.0


class ExtractorPool:
    """Lends each extractor to one stream at a time.

    An extractor tracks the frames of its stream, and its native code is not reentrant. From a name or a
    config the pool builds as many extractors as there are streams at once, and keeps them. An extractor given
    as an object is the only one, and other threads wait for it.

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
        # The thread that uses the only extractor.
        self._holder: Optional[int] = None

    @property
    def first(self) -> Any:
        """One of the extractors, for its layout and name."""
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
        """Gives an extractor that no other stream uses until the block ends.

        Raises:
            RuntimeError: The only extractor is already in use in this thread.
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
        # Waiting would never end: this thread itself would have to release the extractor.
        if self._holder == threading.get_ident():
            raise UserRuntimeError(
                f'the extractor {self._source!r} is at work on another stream of this thread; close that one '
                'first, or give the extractor by its name or config, so that each stream gets its own'
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
