"""The data path: a store against the pickle that mmaction2 reads, both up to the skeletons that an ST-GCN
takes.
"""

from functools import partial
from typing import Callable, Dict, Optional, Tuple

from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.peer_parts.report import Report
from signbert_mm.datasets import PoseDataset, PoseStore, collate_poses
from signbert_mm.layouts import get_layout
from signbert_mm.models.data_preprocessor import SignDataPreprocessor

Stores = Dict[str, Tuple[PoseStore, str]]  # by layout: the store, and its pickle's path


def our_data(store: PoseStore, frames: Optional[int]) -> PoseDataset:
    """Train clips, all joints; ``frames`` sampled, None = all."""
    pipeline = [] if frames is None else [dict(type='UniformTemporalSample', clip_len=frames)]
    return PoseDataset(
        store.folder, split='train', layout=store.layout.name, pipeline=pipeline, drop_empty_frames=False
    )


def mmaction_data(pickled: str, frames: Optional[int], sampled_first: bool = False) -> Dataset:
    """mmaction2's data set with the train pipeline of its ST-GCN configs for 2-D keypoints, one person; as
    they are, or with time sampled first.
    """
    from mmaction.datasets import PoseDataset as ActionPoseDataset

    normalise = [dict(type='PreNormalize2D'), dict(type='GenSkeFeat', dataset='coco', feats=['j'])]
    sample = [] if frames is None else [dict(type='UniformSampleFrames', clip_len=frames)]
    decode = dict(type='PoseDecode')
    last = [dict(type='FormatGCNInput', num_person=1), dict(type='PackActionInputs')]
    pipeline = [*sample, decode, *normalise, *last] if sampled_first else [*normalise, *sample, decode, *last]
    with DefaultScope.overwrite_default_scope('mmaction'):
        return ActionPoseDataset(pickled, pipeline, split='train')


def epoch(dataset: Dataset, collate: Callable, preprocessor: nn.Module, batch: int) -> None:
    """The clips once, shuffled, in this process."""
    for item in DataLoader(dataset, batch, shuffle=True, drop_last=True, collate_fn=collate):
        preprocessor(item, True)


def compare(report: Report, stores: Stores, frames: int, batch: int) -> None:
    """An epoch of loader and data preprocessor, for each layout."""
    from mmaction.models import ActionDataPreprocessor

    for layout, (store, pickled) in stores.items():
        skeleton, stack = (
            SignDataPreprocessor([dict(type='SkeletonInput', layout=layout)]),
            ActionDataPreprocessor(),
        )
        ours, theirs = our_data(store, None), mmaction_data(pickled, None)
        apart = 0.0
        for place in range(0, len(ours), max(1, len(ours) // 8)):
            mine = skeleton(ours.__getitems__([place]), True)['inputs']['skeleton']
            apart = max(apart, float((theirs[place]['inputs'] - mine).abs().max()))
        report.agree(
            f'data: {layout}: farthest numbers, all frames of every eighth part (image = -1..1)', apart
        )
        calls = {
            'PoseDataset': partial(epoch, our_data(store, frames), collate_poses, skeleton, batch),
            'mmaction2': partial(epoch, mmaction_data(pickled, frames), pseudo_collate, stack, batch),
            'mmaction2, time sampled first': partial(
                epoch, mmaction_data(pickled, frames, True), pseudo_collate, stack, batch
            ),
        }
        report.compare(
            'data', f'{get_layout(layout).num_joints} joints, batches of {batch}', calls, ['PoseDataset']
        )
