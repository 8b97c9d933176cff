"""Clips on disk, data sets and the transforms on them."""

from . import transforms
from .collate import collate_poses
from .concat import ConcatPoseDataset
from .pose_dataset import PoseDataset
from .pose_store import PoseStore, PoseStoreWriter
from .samplers import ClassBalancedSampler
from .subsets import data_ratio_indices, few_shot_indices

__all__ = [
    'ClassBalancedSampler', 'ConcatPoseDataset', 'PoseDataset', 'PoseStore', 'PoseStoreWriter', 'collate_poses', 'data_ratio_indices',
    'few_shot_indices', 'transforms',
]  # fmt: skip
