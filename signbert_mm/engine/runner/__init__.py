"""Train loop, runners, and shared parts of the command line tools."""

from ...errors import ConfigError
from .config import explain_config_errors, load_config
from .flexible_runner import SignFlexibleRunner, build_runner
from .fsdp_strategy import SignFSDPStrategy
from .knn_test_loop import KNNTestLoop
from .launch import prepare_launch, run_tool
from .options import OptionsAction
from .train_loop import ResumableTrainLoop

__all__ = [
    'ConfigError',
    'KNNTestLoop',
    'OptionsAction',
    'ResumableTrainLoop',
    'SignFSDPStrategy',
    'SignFlexibleRunner',
    'build_runner',
    'explain_config_errors',
    'load_config',
    'prepare_launch',
    'run_tool',
]
