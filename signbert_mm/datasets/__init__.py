"""Clips on disk, data sets and the transforms on them.

Names are imported on first use: reading a store needs numpy alone.
"""

from ..lazy import lazy_names

_MODULES = {
    '': ['transforms'],
    'collate': ['collate_poses'],
    'concat': ['ConcatPoseDataset'],
    'no_sign': ['NoSignDataset'],
    'open_set': ['OpenSetDataset', 'other_glosses'],
    'pose_dataset': ['PoseDataset'],
    'pose_store': ['PoseStore'],
    'pose_store_writer': ['PoseStoreWriter'],
    'samplers': ['ClassBalancedSampler'],
    'spliced_signs': ['SplicedSigns'],
    'subsets': ['data_ratio_indices', 'few_shot_indices', 'hold_out_indices'],
    'synthetic': ['SYNTHETIC_NOTE', 'SyntheticSigns', 'SyntheticTruth', 'write_synthetic_store'],
    'video_dataset': ['SignVideoDataset'],
    'wrappers': ['ClassBalancedDataset', 'ConcatDataset', 'RepeatDataset'],
}
__getattr__, __dir__, __all__ = lazy_names(__name__, _MODULES)
