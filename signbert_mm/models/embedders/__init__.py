from .gesture_gcn import GestureGCN, RoleGraphConv
from .hand_token_embedder import HandTokenEmbedder, sinusoidal_embedding

__all__ = ['GestureGCN', 'HandTokenEmbedder', 'RoleGraphConv', 'sinusoidal_embedding']
