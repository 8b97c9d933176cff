"""What the command line tools share: processes, and errors for people."""

import os
import sys
from typing import Callable

import torch
import torch.distributed
from mmengine.config import Config

from ... import compat
from ..checkpoint_io import CheckpointError
from .config import ConfigError, explain_config_errors


def prepare_launch(cfg: Config, launcher: str) -> None:
    """Set ``cfg.launcher``; with several processes and no GPU, start the gloo group that mmengine cannot start by itself."""
    cfg.launcher = launcher
    compat.mend_torchvision_ops()
    compat.import_foreign_scopes(cfg.pretty_text)
    if launcher != 'none' and not torch.cuda.is_available():
        compat.init_cpu_group(launcher)
        cfg.setdefault('env_cfg', {}).setdefault('dist_cfg', {})['backend'] = 'gloo'
        cfg.model_wrapper_cfg = compat.cpu_wrapper_cfg(cfg)


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; a mistake in a config or a checkpoint ends in one message, without mmengine's traceback (``SIGNBERT_MM_TRACEBACK=1`` shows it)."""
    try:
        with explain_config_errors():
            main()
    except (ConfigError, CheckpointError, FileNotFoundError) as error:
        if os.environ.get('SIGNBERT_MM_TRACEBACK') == '1':
            raise
        sys.exit(f'{type(error).__name__}: {error}')
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
