"""What the command line tools share: processes, and errors for people."""

import contextlib
import linecache
import logging
import os
import os.path as osp
import sys
from typing import Callable

import torch
import torch.distributed
from mmengine.config import Config

from ... import compat
from ...errors import ConfigError
from ...files.checkpoints import CheckpointError
from ...files.os_errors import describe_os_error
from ..old_checkpoints import adapt_config
from .config import explain_config_errors
from .options import check_vis_backends
from .preload import settle_preload
from .signals import TrainingStopped, cleaning_up
from .workers import cap_workers, settle_no_workers

PACKAGE = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))) + osp.sep
SCRIPTS = tuple(
    osp.join(osp.dirname(osp.dirname(PACKAGE)), name) + osp.sep for name in ('tools', 'demo', 'benchmarks')
)
"""Folders of a checkout whose errors are meant for people as those of the package are."""


def prepare_launch(cfg: Config, launcher: str) -> None:
    """Makes a config ready to run: sets ``cfg.launcher`` and, with several processes and no GPU, starts the
    gloo group,
    which mmengine cannot start by itself. The model is built as the checkpoint that it starts from was.
    Loaders of preloaded clips are set as these need it, the others' workers are capped, and where there are
    none nothing asks for them.
    """
    cfg.launcher = launcher
    adapt_config(cfg)
    settle_preload(cfg)
    cap_workers(cfg)
    settle_no_workers(cfg)
    check_vis_backends(cfg)
    compat.mend_torchvision_ops()
    compat.import_foreign_scopes(cfg.pretty_text)
    if launcher != 'none' and not torch.cuda.is_available():
        compat.init_cpu_group(launcher)
        cfg.setdefault('env_cfg', {}).setdefault('dist_cfg', {})['backend'] = 'gloo'
        cfg.model_wrapper_cfg = compat.cpu_wrapper_cfg(cfg)


def is_first_process(launcher: str) -> bool:
    """Whether this is the process that writes files, by the launcher's environment, before the processes know
    each other.
    """
    rank = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK').get(launcher, '')
    return int(os.environ.get(rank) or 0) == 0


def is_meant_for_users(error: BaseException) -> bool:
    """Whether a ``raise`` of this package, or of a tool or demo beside it, raised it, with a sentence.

    Then the message says what to do, and the traceback says nothing more.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not (error.args and isinstance(error.args[0], str) and ' ' in error.args[0]):
        return False
    filename = trace.tb_frame.f_code.co_filename
    return osp.abspath(filename).startswith((PACKAGE, *SCRIPTS)) and linecache.getline(
        filename, trace.tb_lineno
    ).lstrip().startswith('raise ')


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; what a person can mend ends in one message, without a traceback
    (``SIGNBERT_MM_TRACEBACK=1`` shows it).

    That is a mistake in a config, data or checkpoint, a full disk, and a place that the system lets nobody
    read or write. So do Ctrl-C, with the status of a shell's, 130, and SIGTERM, with 143: a training saves
    its state before.
    """
    try:
        with explain_config_errors(), cleaning_up():
            main()
    except Exception as error:
        ours = isinstance(error, (ConfigError, CheckpointError)) or is_meant_for_users(error)
        if not (ours or isinstance(error, OSError)) or os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
            raise
        # the reader of a pipe has gone: `tool | head`
        if isinstance(error, BrokenPipeError) and error.filename is None:
            _drop_output()
            sys.exit(1)
        if isinstance(error, OSError) and not ours:
            sys.exit(f'{type(error).__name__}: {describe_os_error(error)}')
        # str() of a KeyError is its repr
        sys.exit(f'{type(error).__name__}: {error.args[0] if isinstance(error, KeyError) else error}')
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        sys.exit(143)
    except KeyboardInterrupt:
        if os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
            raise
        print('interrupted', file=sys.stderr)
        sys.exit(130)
    else:
        _leave_gloo()
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _drop_output() -> None:
    """Lets the interpreter end without another complaint about a closed stdout."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave_gloo() -> None:
    """End a gloo process that is done, once all are: at interpreter exit DDP still holds the group, and
    tearing that down now and then aborts
    (``terminate called without an active exception``), which torchrun takes for a failed run."""
    if (
        not (torch.distributed.is_available() and torch.distributed.is_initialized())
        or torch.distributed.get_backend() != 'gloo'
    ):
        return
    torch.distributed.barrier()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
