"""Clips on disk, data sets and the transforms on them."""

from . import transforms
from .collate import collate_poses
from .concat import ConcatPoseDataset
from .no_sign import NoSignDataset
from .open_set import OpenSetDataset, other_glosses
from .pose_dataset import PoseDataset
from .pose_store import PoseStore
from .pose_store_writer import PoseStoreWriter
from .samplers import ClassBalancedSampler
from .spliced_signs import SplicedSigns
from .subsets import data_ratio_indices, few_shot_indices, hold_out_indices
from .synthetic import SYNTHETIC_NOTE, SyntheticSigns, SyntheticTruth, write_synthetic_store
from .video_dataset import SignVideoDataset

__all__ = [
    'SYNTHETIC_NOTE',
    'ClassBalancedSampler',
    'ConcatPoseDataset',
    'NoSignDataset',
    'OpenSetDataset',
    'PoseDataset',
    'PoseStore',
    'PoseStoreWriter',
    'SignVideoDataset',
    'SplicedSigns',
    'SyntheticSigns',
    'SyntheticTruth',
    'collate_poses',
    'data_ratio_indices',
    'few_shot_indices',
    'hold_out_indices',
    'other_glosses',
    'transforms',
    'write_synthetic_store',
]
