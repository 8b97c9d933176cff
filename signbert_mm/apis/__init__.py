"""Models by name or config, and inference, for use from Python.

Names are imported on first use: running an exported model needs numpy and onnxruntime alone.
"""

from ..lazy import lazy_names

_MODULES = {
    'backends': ['Prediction'],
    'clips': ['PoseClip'],
    'dictionary': ['Match', 'SignDictionary'],
    'dictionary_backend': ['DictionaryBackend'],
    'embedder': ['ClipEmbedder'],
    'fusion': ['FusionRecognizer'],
    'hub': ['from_pretrained', 'load_pretrained', 'save_pretrained'],
    'inferencer': ['SignInferencer'],
    'model': ['get_model', 'init_model', 'list_models'],
    'stream': ['HysteresisMerger', 'Segment', 'StreamEvent', 'StreamRecognizer', 'sliding_windows'],
    'subtitles': ['read_eaf', 'write_eaf', 'write_vtt'],
    'taught_signs': ['TaughtSigns'],
    'zoo': ['zoo_checkpoint'],
}
__getattr__, __dir__, __all__ = lazy_names(__name__, _MODULES)
