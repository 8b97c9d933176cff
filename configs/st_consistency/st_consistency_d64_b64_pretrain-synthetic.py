"""ST-Consistency, narrow, pre-trained without labels on the demo's synthetic signs; kNN on a signer that is not in training."""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/schedules/st_consistency_150e.py',
    '../_base_/default_runtime.py',
]
_whole = [dict(type='TemporalCropResize', clip_len=16, ratio=0.95, min_frames=16, centre=True)]
_crop_in_time = [dict(type='TemporalCropResize', clip_len=16, ratio=(0.5, 1.0), min_frames=16)]
_input = [dict(type='HandCrop', layout='sign_49'), dict(type='NormalizeTrunk', layout='sign_49')]
_augment = [
    dict(type='RandomAffine', space='pose', rotation=30.0, scale=(0.8, 1.2), shift=0.05),
    dict(type='RandomJointMask', num_joints=10, prob=0.5),
]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing'), dict(type='Motion')]
_view = _crop_in_time + [dict(type='RandomFlip')] + _input + _augment + _output
model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', num_views=2, transforms=_view)],
        test_pipeline=[dict(type='MakeViews', transforms=_whole + _input + _output)],
    ),
    encoder={{_base_.encoder_d64}},
    projector=dict(in_channels=64),
    bank=dict(size=1024),
    loss_transfer=dict(num_anchors=512),
)
_frames = [dict(type='UniformTemporalSample', clip_len=48, test_mode=True, repeat=False)]
_loader = dict(batch_size=64, num_workers=0, collate_fn=dict(type='collate_poses'))
_clips = dict(type='PoseDataset', store='data/synthetic_demo', pipeline=_frames, prepare='python demo/run_demo.py --only data')
_in_order = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=True), dataset=dict(_clips, split='train'))
custom_hooks = [
    dict(
        type='KNNHook',
        interval=5,
        gallery=dict(_in_order, dataset=dict(_clips, split='train')),
        query=dict(_in_order, dataset=dict(_clips, split='val')),
    )
]
train_cfg = dict(max_epochs=20)
default_hooks = dict(logger=dict(interval=5))
