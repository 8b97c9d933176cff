"""Metrics, and the predictions that they read."""

from .knn import extract_features, knn_accuracy, knn_scores
from .metrics import DumpPredictions, PerClipMetric, PoseAUC, SegmentF1, SignAccuracy
from .predictions import load_predictions

__all__ = [
    'DumpPredictions',
    'PerClipMetric',
    'PoseAUC',
    'SegmentF1',
    'SignAccuracy',
    'extract_features',
    'knn_accuracy',
    'knn_scores',
    'load_predictions',
]
