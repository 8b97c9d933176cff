from .gesture_gcn import GestureGCN, RoleGraphConv
from .hand_token_embedder import HandTokenEmbedder, sinusoidal_embedding
from .temporal_gcn_embedder import TemporalGCNEmbedder

__all__ = ['GestureGCN', 'HandTokenEmbedder', 'RoleGraphConv', 'TemporalGCNEmbedder', 'sinusoidal_embedding']
