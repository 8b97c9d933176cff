"""Batched transforms, one file a family."""

from .base import BatchTransform, Compose
from .hand_crop import HandCrop, MirrorLeftHand, ZeroMissing
from .masking import OPERATIONS, MaskHandTokens
from .skeleton import SkeletonInput
from .spatial import RandomAffine, RandomFlip, RandomHandDrop, RandomJointJitter
from .temporal import CenterTemporalSample, RandomTemporalSample, TemporalSample, UniformTemporalSample

__all__ = [
    'OPERATIONS',
    'BatchTransform',
    'CenterTemporalSample',
    'Compose',
    'HandCrop',
    'MaskHandTokens',
    'MirrorLeftHand',
    'RandomAffine',
    'RandomFlip',
    'RandomHandDrop',
    'RandomJointJitter',
    'RandomTemporalSample',
    'SkeletonInput',
    'TemporalSample',
    'UniformTemporalSample',
    'ZeroMissing',
]
