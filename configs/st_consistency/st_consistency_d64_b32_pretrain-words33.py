"""ST-Consistency, narrow, pre-trained without labels on real clips: the pool of words33, and all of letters28
and words11.

letters28 has no trunk: its clips take part through their hands (contrast, transfer between joint and motion)
and are left out of the trunk's contrast and of the consistency of hand and trunk. No flips, as in the other
words33 configs.
"""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]
_whole = [dict(type='TemporalCropResize', clip_len=10, ratio=0.95, min_frames=10, centre=True)]
_crop_in_time = [dict(type='TemporalCropResize', clip_len=10, ratio=(0.6, 1.0), min_frames=10)]
_augment = [
    dict(
        type='RandomAffine', space='pose', rotation=15.0, scale=(0.9, 1.1), stretch=0.1, shear=0.1, shift=0.05
    ),
    dict(type='RandomJointMask', num_joints=10, prob=0.5),
]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing'), dict(type='Motion')]
model = dict(
    data_preprocessor=dict(
        train_pipeline=[
            dict(type='MakeViews', num_views=2, transforms=_crop_in_time + _base_._input + _augment + _output)
        ],
        test_pipeline=[dict(type='MakeViews', transforms=_whole + _base_._input + _output)],
    ),
    encoder=_base_.encoder_d64,
    projector=dict(in_channels=64),
    bank=dict(size=1024),
    momentum=0.995,
    loss_transfer=dict(num_anchors=512),
)
# all frames there are
_frames = [dict(type='UniformTemporalSample', clip_len=24, test_mode=True, repeat=False)]
_clips = dict(type='PoseDataset', layout='sign_49', pipeline=_frames)
_loader = dict(batch_size=32, num_workers=0, collate_fn=dict(type='collate_poses'))
_in_order = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ConcatPoseDataset',
        datasets=[
            dict(_clips, store='data/words33', split=['train', 'val']),
            dict(_clips, store='data/letters28'),
            dict(_clips, store='data/words11'),
        ],
    ),
)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=5,
        gallery=dict(_in_order, dataset=dict(_clips, store='data/words33', split='train')),
        query=dict(_in_order, dataset=dict(_clips, store='data/words33', split='val')),
    )
]
test_cfg = None
train_cfg = dict(max_epochs=80)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
    dict(type='CosineAnnealingLR', T_max=80, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=5))
