"""Metrics, in percent as the papers print them."""

from .per_clip_metric import PerClipMetric
from .sign_accuracy import SignAccuracy

__all__ = ['PerClipMetric', 'SignAccuracy']
