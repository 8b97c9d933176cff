"""Hooks."""

from .epoch_seed_hook import EpochSeedHook
from .load_report_hook import LoadReportHook
from .safe_checkpoint_hook import SafeCheckpointHook

__all__ = ['EpochSeedHook', 'LoadReportHook', 'SafeCheckpointHook']
