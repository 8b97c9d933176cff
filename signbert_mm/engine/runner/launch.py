"""What the command line tools share: processes, and errors for people."""

import contextlib
import logging
import os
import sys
from typing import Callable

import torch
import torch.distributed
from mmengine.config import Config

from ... import compat
from ...errors import UserError
from ...files.os_errors import describe_os_error
from ..old_checkpoints import adapt_config
from .config import explain_config_errors
from .options import check_vis_backends
from .preload import settle_preload
from .signals import TrainingStopped, cleaning_up
from .workers import cap_workers, settle_no_workers


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
    compat.patch_torchvision_ops()
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


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool. A :class:`~signbert_mm.errors.UserError` and an error of the system end in one line.

    ``SIGNBERT_MM_TRACEBACK=1`` shows their traceback; a fault of the program always has it.

    Ctrl-C ends with a shell's status, 130, and SIGTERM with 143: a training saves its state before.
    """
    try:
        with explain_config_errors(), cleaning_up():
            main()
    except Exception as error:
        if not isinstance(error, (UserError, OSError)) or os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
            raise
        # the reader of a pipe has gone: `tool | head`
        if isinstance(error, BrokenPipeError) and error.filename is None:
            _drop_output()
            sys.exit(1)
        said = describe_os_error(error) if isinstance(error, OSError) else error
        sys.exit(f'{type(error).__name__.removeprefix("User")}: {said}')
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
