"""Embedders, encoders, decoders, heads, losses, and complete models."""

from .. import needs_train  # noqa: F401
from .backbones import HandTransformer, HandTrunkEncoder, TemporalConv
from .banks import MemoryBank
from .base import BasePretrainer, BaseRecognizer
from .data_preprocessor import SignDataPreprocessor
from .decoders import FCDecoder, HandModelDecoder
from .embedders import (
    GestureGCN,
    HandMotion,
    HandTokenEmbedder,
    ResidualGestureGCN,
    TemporalGCNEmbedder,
)
from .heads import LinearFusionHead, ProjectionHead, SegmentHead, SignHead
from .losses import (
    ConsistencyLoss,
    CrossEntropyLoss,
    HandRegularization,
    InfoNCELoss,
    KnowledgeTransferLoss,
    ReconstructionLoss,
)
from .pretrainers import SignBERT, STConsistency
from .recognizers import MMActionRecognizer, SignRecognizer, STConsistencyRecognizer
from .segmenters import SignSegmenter, decode_segments

__all__ = [
    'BasePretrainer',
    'BaseRecognizer',
    'ConsistencyLoss',
    'CrossEntropyLoss',
    'FCDecoder',
    'GestureGCN',
    'HandModelDecoder',
    'HandMotion',
    'HandRegularization',
    'HandTokenEmbedder',
    'HandTransformer',
    'HandTrunkEncoder',
    'InfoNCELoss',
    'KnowledgeTransferLoss',
    'LinearFusionHead',
    'MMActionRecognizer',
    'MemoryBank',
    'ProjectionHead',
    'ReconstructionLoss',
    'ResidualGestureGCN',
    'STConsistency',
    'STConsistencyRecognizer',
    'SegmentHead',
    'SignBERT',
    'SignDataPreprocessor',
    'SignHead',
    'SignRecognizer',
    'SignSegmenter',
    'TemporalConv',
    'TemporalGCNEmbedder',
    'decode_segments',
]
