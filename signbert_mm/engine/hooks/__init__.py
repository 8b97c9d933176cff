"""Hooks."""

from .class_count_hook import ClassCountHook
from .epoch_seed_hook import EpochSeedHook
from .load_report_hook import LoadReportHook
from .safe_checkpoint_hook import SafeCheckpointHook

__all__ = ['ClassCountHook', 'EpochSeedHook', 'LoadReportHook', 'SafeCheckpointHook']
