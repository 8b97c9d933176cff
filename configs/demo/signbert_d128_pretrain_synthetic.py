"""SignBERT, narrow, pre-trained without labels on the demo's synthetic signs (about 3 minutes on 2 cores)."""

_base_ = [
    '../_base_/models/signbert_d128_pretrain.py',
    '../_base_/schedules/signbert_pretrain_60e.py',
    '../_base_/default_runtime.py',
]

_augment = [
    dict(type='RandomFlip'),
    dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.1, shear=0.1, shift=0.05),
]
_crop = [dict(type='HandCrop', layout='sign_49', location='shoulders'), dict(type='MirrorLeftHand')]
_hide = [dict(type='MaskHandTokens'), dict(type='ZeroMissing')]
model = dict(
    data_preprocessor=dict(train_pipeline=_augment + _crop + _hide, test_pipeline=_crop + _hide),
)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(
        type='PoseDataset',
        store='data/synthetic_demo',
        split='train',
        pipeline=[dict(type='UniformTemporalSample', clip_len=16)],
        prepare='python demo/run_demo.py --only data',
    ),
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.0), clip_grad=dict(max_norm=5.0))
train_cfg = dict(max_epochs=28)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=28, by_epoch=True, convert_to_iter_based=True),
]
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(
        type='PoseDataset',
        store='data/synthetic_demo',
        split='test',
        pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)],
        test_mode=True,
    ),
)
# Input and output against the target, as in Tables 1 and 2
test_evaluator = dict(type='PoseAUC')
default_hooks = dict(logger=dict(interval=5))
