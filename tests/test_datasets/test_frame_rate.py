"""The rate that all clips have: from the store to what a checkpoint states."""

import pytest
from pose_store_fixtures import keypoints
from source_files import load_file

from signbert_mm.datasets import ConcatPoseDataset, PoseDataset, PoseStoreWriter
from signbert_mm.datasets.store_format import common_rate
from signbert_mm.engine.hooks.safe_checkpoint_hook import dataset_facts


@pytest.mark.parametrize(
    'rates, common',
    [
        ([25, 25], 25),
        ([29.97, 30, 30.1], 30),
        ([25, 30], None),
        ([25, 0], None),
        ([0, 0], None),
        ([25, None], None),
        ([], None),
    ],
)
def test_common_rate(rates, common):
    assert common_rate(rates) == common


def test_from_the_store_to_the_checkpoint(tmp_path):
    for name, rates in dict(a=(25, 25, 50), b=(25, 25, 25)).items():
        with PoseStoreWriter(tmp_path / name, 'sign_49', ['x']) as writer:
            for clip, fps in enumerate(rates):
                writer.add(
                    keypoints(3),
                    0,
                    'test' if clip == 2 else 'train',
                    f'v{clip}',
                    width=64,
                    height=48,
                    fps=fps,
                )
    stores = {
        name: dict(
            type='PoseDataset', store=str(tmp_path / name), pipeline=[dict(type='CenterTemporalSample')]
        )
        for name in 'ab'
    }
    train = PoseDataset(tmp_path / 'a', 'train')  # the rate is that of the clips that are used
    assert train.metainfo['fps'] == 25 and PoseDataset(tmp_path / 'a').metainfo['fps'] is None
    both = ConcatPoseDataset([dict(stores['a'], split='train'), stores['b']])
    assert both.metainfo['fps'] == 25 and ConcatPoseDataset(list(stores.values())).metainfo['fps'] is None
    assert dataset_facts(both)['fps'] == 25 and 'fps' not in dataset_facts(PoseDataset(tmp_path / 'a'))
    meta = dict(dataset_facts(train), time='now')
    assert load_file('tools/misc/publish_model.py').published_meta(meta)['fps'] == 25
