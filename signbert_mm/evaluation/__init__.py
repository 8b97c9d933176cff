"""Metrics, and the predictions that they read."""

from .. import needs_train  # noqa: F401
from .knn import extract_features, knn_accuracy, knn_scores
from .metrics import DumpPredictions, PerClipMetric, PoseAUC, SignAccuracy
from .predictions import load_predictions

__all__ = [
    'DumpPredictions',
    'PerClipMetric',
    'PoseAUC',
    'SignAccuracy',
    'extract_features',
    'knn_accuracy',
    'knn_scores',
    'load_predictions',
]
