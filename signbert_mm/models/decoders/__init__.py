from .fc_decoder import FCDecoder
from .hand_model_decoder import HandModelDecoder

__all__ = ['FCDecoder', 'HandModelDecoder']
