from .hand_transformer import HandTransformer

__all__ = ['HandTransformer']
