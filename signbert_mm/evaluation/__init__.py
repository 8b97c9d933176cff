"""Metrics."""

from .metrics import PerClipMetric, PoseAUC, SignAccuracy

__all__ = ['PerClipMetric', 'PoseAUC', 'SignAccuracy']
