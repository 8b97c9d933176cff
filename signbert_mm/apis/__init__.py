"""Models by name or config, and inference, for use from Python."""

from .backends import Prediction
from .clips import PoseClip
from .dictionary import ClipEmbedder, Match, SignDictionary
from .dictionary_backend import DictionaryBackend
from .fusion import FusionRecognizer
from .inferencer import SignInferencer
from .model import get_model, init_model, list_models
from .stream import HysteresisMerger, Segment, StreamEvent, StreamRecognizer, sliding_windows
from .taught_signs import TaughtSigns
from .zoo import zoo_checkpoint

__all__ = [
    'ClipEmbedder',
    'DictionaryBackend',
    'FusionRecognizer',
    'HysteresisMerger',
    'Match',
    'PoseClip',
    'Prediction',
    'Segment',
    'SignDictionary',
    'SignInferencer',
    'StreamEvent',
    'StreamRecognizer',
    'TaughtSigns',
    'get_model',
    'init_model',
    'list_models',
    'sliding_windows',
    'zoo_checkpoint',
]
