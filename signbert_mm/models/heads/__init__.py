from .linear_fusion_head import LinearFusionHead
from .projection_head import ProjectionHead
from .sign_head import SignHead

__all__ = ['LinearFusionHead', 'ProjectionHead', 'SignHead']
