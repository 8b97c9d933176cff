"""Embedders, encoders, decoders, heads, losses, and the models they make."""

from .backbones import HandTransformer
from .data_preprocessor import SignDataPreprocessor
from .decoders import FCDecoder, HandModelDecoder
from .embedders import GestureGCN, HandTokenEmbedder
from .heads import SignHead
from .losses import HandRegularization, ReconstructionLoss
from .pretrainers import SignBERT
from .recognizers import MMActionRecognizer, SignRecognizer

__all__ = [
    'FCDecoder',
    'GestureGCN',
    'HandModelDecoder',
    'HandRegularization',
    'HandTokenEmbedder',
    'HandTransformer',
    'MMActionRecognizer',
    'ReconstructionLoss',
    'SignBERT',
    'SignDataPreprocessor',
    'SignHead',
    'SignRecognizer',
]
