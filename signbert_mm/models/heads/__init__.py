from .projection_head import ProjectionHead
from .sign_head import SignHead

__all__ = ['ProjectionHead', 'SignHead']
