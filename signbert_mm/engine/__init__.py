"""Hooks, optimizer wrappers, the train loop and checkpoint files."""

from .. import compat
from .checkpoint_io import (
    AtomicLocalBackend,
    CheckpointError,
    find_last_whole_checkpoint,
    load_checkpoint_file,
)
from .hooks import (
    ClassCountHook,
    CompileHook,
    DeferredLossHook,
    EpochSeedHook,
    KNNHook,
    LoadReportHook,
    SafeCheckpointHook,
)
from .optim import SignAmpOptimWrapper
from .runner import ResumableTrainLoop

compat.mend_checkpoint_loading()

__all__ = [
    'AtomicLocalBackend',
    'CheckpointError',
    'ClassCountHook',
    'CompileHook',
    'DeferredLossHook',
    'EpochSeedHook',
    'KNNHook',
    'LoadReportHook',
    'ResumableTrainLoop',
    'SafeCheckpointHook',
    'SignAmpOptimWrapper',
    'find_last_whole_checkpoint',
    'load_checkpoint_file',
]
