from .decoding import decode_segments
from .sign_segmenter import SignSegmenter

__all__ = ['SignSegmenter', 'decode_segments']
