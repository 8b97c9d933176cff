"""Log lines, with and without mmengine."""

import contextlib
import logging
import sys
from typing import Callable, Iterator, Optional

NAME = 'signbert_mm'
# Takes warnings in place of the log.
_show: Optional[Callable[[str], None]] = None


def print_log(msg: str, logger: str = 'current', level: int = logging.INFO) -> None:
    """Logs a line as ``mmengine.logging.print_log`` does.

    Where mmengine's loggers are not in use, as in an app that runs an exported model, it goes to the logger
    ``signbert_mm`` of the standard library, which the app configures: by default warnings alone are shown.

    Args:
        msg (str): The line.
        logger (str): As for mmengine: 'current' is the logger of the run.
        level (int): As in :mod:`logging`.
    """
    if _show is not None and level >= logging.WARNING:
        _show(msg)
        return
    # Importing mmengine here would take longer than the inference.
    engine = sys.modules.get('mmengine.logging')
    if engine is not None:
        engine.print_log(msg, logger, level)
    else:
        logging.getLogger(NAME).log(level, msg)


@contextlib.contextmanager
def warnings_to(show: Callable[[str], None]) -> Iterator[None]:
    """Within it, warnings of this package go to ``show`` and not to the log, whatever the log leaves out."""
    global _show
    before, _show = _show, show
    try:
        yield
    finally:
        _show = before
