"""Batched transforms, one file a family."""

from .base import BatchTransform, Compose, steps_in, without_masks
from .corruption import RandomChoice, RandomJointMask
from .hand_crop import HandCrop, MirrorLeftHand, ZeroMissing
from .images import NormalizeImages
from .masking import OPERATIONS, MaskHandTokens
from .one_hand import KeepOneHand
from .skeleton import SkeletonInput
from .spatial import RandomAffine, RandomFlip, RandomHandDrop, RandomJointJitter
from .temporal import (
    CenterTemporalSample,
    RandomTemporalSample,
    RandomWindowSample,
    TemporalSample,
    UniformTemporalSample,
    sample_time,
)
from .temporal_resize import TemporalCropResize
from .trunk import NormalizeTrunk
from .views import MakeViews, Motion

__all__ = [
    'OPERATIONS',
    'BatchTransform',
    'CenterTemporalSample',
    'Compose',
    'HandCrop',
    'KeepOneHand',
    'MakeViews',
    'MaskHandTokens',
    'MirrorLeftHand',
    'Motion',
    'NormalizeImages',
    'NormalizeTrunk',
    'RandomAffine',
    'RandomChoice',
    'RandomFlip',
    'RandomHandDrop',
    'RandomJointJitter',
    'RandomJointMask',
    'RandomTemporalSample',
    'RandomWindowSample',
    'SkeletonInput',
    'TemporalCropResize',
    'TemporalSample',
    'UniformTemporalSample',
    'ZeroMissing',
    'sample_time',
    'steps_in',
    'without_masks',
]
