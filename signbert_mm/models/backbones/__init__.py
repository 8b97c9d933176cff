from .hand_transformer import HandTransformer
from .hand_trunk_encoder import HandTrunkEncoder

__all__ = ['HandTransformer', 'HandTrunkEncoder']
