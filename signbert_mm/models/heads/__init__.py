from .linear_fusion_head import LinearFusionHead
from .projection_head import ProjectionHead
from .segment_head import SegmentHead
from .sign_head import SignHead

__all__ = ['LinearFusionHead', 'ProjectionHead', 'SegmentHead', 'SignHead']
