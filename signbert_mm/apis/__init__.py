"""Models by name or config, and inference, for use from Python."""

from .clip_embedder import ClipEmbedder
from .fusion_recognizer import FusionRecognizer
from .inferencer import SignInferencer
from .model import get_model, init_model, list_models
from .pose_clip import PoseClip
from .prediction import Prediction
from .sign_dictionary import Match, SignDictionary
from .stream_recognizer import StreamEvent, StreamRecognizer
from .windows import HysteresisMerger, Segment, sliding_windows
from .zoo import zoo_checkpoint

__all__ = [
    'ClipEmbedder',
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
    'get_model',
    'init_model',
    'list_models',
    'sliding_windows',
    'zoo_checkpoint',
]
