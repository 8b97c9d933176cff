"""Metrics."""

from .metrics import PerClipMetric, SignAccuracy

__all__ = ['PerClipMetric', 'SignAccuracy']
