"""The paper's pre-training, with a test of the reconstruction on the clips of ``test_dataloader`` (Tables 2
and 4 to 7).
"""

_base_ = '../../../pretrain_all.py'

test_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(
        type='PoseDataset',
        store='data/wlasl2000',
        split='test',
        pipeline=[dict(type='CenterTemporalSample', clip_len=32)],
        test_mode=True,
    ),
)
test_cfg = dict(_delete_=True, type='TestLoop')
test_evaluator = dict(type='PoseAUC')
