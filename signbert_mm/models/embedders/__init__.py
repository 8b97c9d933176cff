from .gesture_gcn import GestureGCN
from .hand_motion import HandMotion
from .hand_token_embedder import HandTokenEmbedder, sinusoidal_embedding
from .residual_gesture_gcn import ResidualGestureGCN
from .role_graph_conv import RoleGraphConv
from .temporal_gcn_embedder import TemporalGCNEmbedder

__all__ = [
    'GestureGCN',
    'HandMotion',
    'HandTokenEmbedder',
    'ResidualGestureGCN',
    'RoleGraphConv',
    'TemporalGCNEmbedder',
    'sinusoidal_embedding',
]
