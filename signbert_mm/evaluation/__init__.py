"""Metrics, and the predictions they are computed from."""

from .metrics import PerClipMetric, PoseAUC, SignAccuracy
from .predictions import load_predictions

__all__ = ['PerClipMetric', 'PoseAUC', 'SignAccuracy', 'load_predictions']
