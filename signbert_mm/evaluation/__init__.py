"""Metrics, and the predictions that they read.

Names are imported on first use: rejection by an exported model needs numpy alone.
"""

from ..lazy import lazy_names

_MODULES = {
    'knn': ['extract_features', 'knn_accuracy', 'knn_scores'],
    'metrics': ['DumpPredictions', 'PerClipMetric', 'PoseAUC', 'SegmentF1', 'SignAccuracy'],
    'predictions': ['load_predictions'],
}
__getattr__, __dir__, __all__ = lazy_names(__name__, _MODULES)
