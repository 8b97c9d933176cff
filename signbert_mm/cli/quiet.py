"""Runs a subcommand so that people read its lines and not those of the libraries."""

import logging
import os
import sys
import warnings
from typing import Callable

from ..logs import warnings_to


def run_quietly(main: Callable[[], None]) -> None:
    """As :func:`signbert_mm.engine.runner.run_tool`, with the libraries' warnings and notes left out.

    Warnings of this package are plain lines on stderr.
    ``SIGNBERT_MM_TRACEBACK=1`` shows them, beside tracebacks.
    """
    if os.environ.get('SIGNBERT_MM_TRACEBACK') != '1':
        # Read by MediaPipe's and TensorFlow's native code when it is loaded.
        os.environ.setdefault('GLOG_minloglevel', '2')
        os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
        warnings.simplefilter('ignore')
    terminal = sys.stderr.isatty()
    if terminal:
        print('loading ..', end='', file=sys.stderr, flush=True)
    from mmengine.logging import MMLogger

    from ..engine.runner import run_tool

    if terminal:
        # Back to the start of the line, and clear it.
        print('\r\033[K', end='', file=sys.stderr, flush=True)
    if os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
        run_tool(main)
        return
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    with warnings_to(lambda text: print(text, file=sys.stderr, flush=True)):
        run_tool(main)
