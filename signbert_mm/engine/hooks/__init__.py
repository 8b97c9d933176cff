"""Hooks."""

from .class_count_hook import ClassCountHook
from .compile_hook import CompileHook
from .deferred_loss_hook import DeferredLossHook
from .epoch_seed_hook import EpochSeedHook
from .knn_hook import KNNHook
from .load_report_hook import LoadReportHook
from .norm_statistics_hook import NormStatisticsHook
from .safe_checkpoint_hook import SafeCheckpointHook

__all__ = [
    'ClassCountHook',
    'CompileHook',
    'DeferredLossHook',
    'EpochSeedHook',
    'KNNHook',
    'LoadReportHook',
    'NormStatisticsHook',
    'SafeCheckpointHook',
]
