"""ST-Consistency, narrow, pre-trained without labels on the demo's synthetic signs (about 5 minutes on a
core); kNN on a signer not in training.
"""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]
_crop_in_time = [dict(type='TemporalCropResize', clip_len=12, ratio=(0.6, 1.0), min_frames=12)]
_whole = [dict(type='TemporalCropResize', clip_len=12, ratio=0.95, min_frames=12, centre=True)]
_augment = [
    dict(
        type='RandomAffine',
        space='pose',
        rotation=15.0,
        scale=(0.85, 1.15),
        stretch=0.1,
        shear=0.1,
        shift=0.1,
    ),
    dict(type='RandomJointMask', num_joints=10, prob=0.5),
]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing'), dict(type='Motion')]
_view = _crop_in_time + [dict(type='RandomFlip')] + _base_._input + _augment + _output
model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', num_views=2, transforms=_view)],
        test_pipeline=[dict(type='MakeViews', transforms=_whole + _base_._input + _output)],
    ),
    encoder=_base_.encoder_d64,
    projector=dict(in_channels=64),
    # 16 batches: keys of longer ago come from another encoder when it learns this fast.
    bank=dict(size=512),
    momentum=0.995,
    loss_transfer=dict(num_anchors=256),
)
_frames = [dict(type='UniformTemporalSample', clip_len=48, test_mode=True, repeat=False)]
_clips = dict(
    type='PoseDataset',
    store='data/synthetic_demo',
    pipeline=_frames,
    prepare='python demo/run_demo.py --only data',
)
_loader = dict(batch_size=32, num_workers=0, collate_fn=dict(type='collate_poses'))
_in_order = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    _loader, sampler=dict(type='DefaultSampler', shuffle=True), dataset=dict(_clips, split='train')
)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        gallery=dict(_in_order, dataset=dict(_clips, split='train')),
        query=dict(_in_order, dataset=dict(_clips, split='val')),
    )
]
# not the paper's SGD: it gets nowhere in the few steps that a laptop can afford
test_cfg = None
train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.03, by_epoch=False, begin=0, end=34),
    dict(type='CosineAnnealingLR', T_max=24, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=17))
