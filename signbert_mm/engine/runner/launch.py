"""Start of the command line tools: processes, and errors as one line."""

import logging
import os
import sys
from typing import Callable

import torch
import torch.distributed
from mmengine.config import Config

from ... import compat
from ...run_command import run_command
from ..old_checkpoints import adapt_config
from .config import explain_config_errors
from .options import check_vis_backends
from .preload import adapt_preloaded_loaders
from .signals import TrainingStopped
from .workers import cap_workers, drop_worker_options


def prepare_launch(cfg: Config, launcher: str) -> None:
    """Makes a config ready to run.

    Sets ``cfg.launcher``. The model gets the settings of the checkpoint that it starts from. Loaders get the
    options of preloaded clips and no more workers than cores. With several processes and no GPU the gloo
    group is started, which mmengine cannot start by itself.
    """
    cfg.launcher = launcher
    adapt_config(cfg)
    adapt_preloaded_loaders(cfg)
    cap_workers(cfg)
    drop_worker_options(cfg)
    check_vis_backends(cfg)
    compat.patch_torchvision_ops()
    compat.import_foreign_scopes(cfg.pretty_text)
    if launcher != 'none' and not torch.cuda.is_available():
        compat.init_cpu_group(launcher)
        cfg.setdefault('env_cfg', {}).setdefault('dist_cfg', {})['backend'] = 'gloo'
        cfg.model_wrapper_cfg = compat.cpu_wrapper_cfg(cfg)


def is_first_process(launcher: str) -> bool:
    """Whether this is the process that writes files, by the launcher's environment variables.

    It works before the group of processes is started.
    """
    rank = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK').get(launcher, '')
    return int(os.environ.get(rank) or 0) == 0


def run_tool(main: Callable[[], None]) -> None:
    """Runs a tool as :func:`~signbert_mm.run_command.run_command` does, with its configs and processes.

    A config's fault names its file and line. On SIGTERM a training saves its state. The group of processes is
    left.
    """

    def explained() -> None:
        with explain_config_errors():
            main()

    try:
        run_command(explained)
    except TrainingStopped as stopped:
        print(stopped, file=sys.stderr)
        sys.exit(143)
    else:
        _leave_gloo()
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _leave_gloo() -> None:
    """Ends a gloo process that is done, once all are."""
    # At the interpreter's exit DDP still holds the group. Its teardown sometimes aborts (``terminate called
    # without an active exception``), which torchrun takes for a failed run.
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
