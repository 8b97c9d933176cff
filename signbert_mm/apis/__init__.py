"""Models by name or config, and inference, for use from Python."""

from .backends import Prediction
from .clips import PoseClip
from .dictionary import ClipEmbedder, Match, SignDictionary
from .dictionary_backend import DictionaryBackend
from .fusion import FusionRecognizer
from .hub import from_pretrained, load_pretrained, save_pretrained
from .inferencer import SignInferencer
from .model import get_model, init_model, list_models
from .stream import HysteresisMerger, Segment, StreamEvent, StreamRecognizer, sliding_windows
from .subtitles import read_eaf, write_eaf, write_vtt
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
    'from_pretrained',
    'TaughtSigns',
    'get_model',
    'init_model',
    'list_models',
    'load_pretrained',
    'read_eaf',
    'save_pretrained',
    'sliding_windows',
    'write_eaf',
    'write_vtt',
    'zoo_checkpoint',
]
