"""Hooks, optimizer wrappers, the train loop and checkpoint files."""

from .. import compat, needs_train  # noqa: F401
from ..files.checkpoints import CheckpointError, load_checkpoint_file
from .checkpoint_io import AtomicLocalBackend, find_last_whole_checkpoint
from .hooks import (
    ClassCountHook,
    CompileHook,
    DeferredLossHook,
    EpochSeedHook,
    KNNHook,
    LoadReportHook,
    NormStatisticsHook,
    SafeCheckpointHook,
)
from .optim import SignAmpOptimWrapper, SignOptimWrapperConstructor
from .runner import ResumableTrainLoop

compat.patch_checkpoint_loading()
compat.log_state_differences()
compat.refuse_unknown_optimizer()

__all__ = [
    'AtomicLocalBackend',
    'CheckpointError',
    'ClassCountHook',
    'CompileHook',
    'DeferredLossHook',
    'EpochSeedHook',
    'KNNHook',
    'LoadReportHook',
    'NormStatisticsHook',
    'ResumableTrainLoop',
    'SafeCheckpointHook',
    'SignAmpOptimWrapper',
    'SignOptimWrapperConstructor',
    'find_last_whole_checkpoint',
    'load_checkpoint_file',
]
