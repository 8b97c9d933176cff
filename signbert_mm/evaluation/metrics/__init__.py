"""Metrics, in percent as the papers print them."""

from .dump_predictions import DumpPredictions
from .per_clip_metric import PerClipMetric
from .pose_auc import PoseAUC
from .segment_f1 import SegmentF1
from .sign_accuracy import SignAccuracy

__all__ = ['DumpPredictions', 'PerClipMetric', 'PoseAUC', 'SegmentF1', 'SignAccuracy']
