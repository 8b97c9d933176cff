from .hand_transformer import HandTransformer
from .hand_trunk_encoder import HandTrunkEncoder
from .temporal_conv import TemporalConv

__all__ = ['HandTransformer', 'HandTrunkEncoder', 'TemporalConv']
