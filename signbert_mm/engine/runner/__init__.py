"""Train loop, and what the command line tools share."""

from .config import ConfigError, explain_config_errors, load_config
from .knn_test_loop import KNNTestLoop
from .launch import prepare_launch, run_tool
from .train_loop import ResumableTrainLoop

__all__ = ['ConfigError', 'KNNTestLoop', 'ResumableTrainLoop', 'explain_config_errors', 'load_config', 'prepare_launch', 'run_tool']
