"""ST-Consistency's recogniser, narrow, on a few labelled clips a gloss of the demo's synthetic signs, from
scratch or with ``load_from``.
"""

_base_ = [
    '../_base_/models/st_consistency_recognizer.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

_augment = [
    dict(
        type='RandomAffine',
        space='pose',
        rotation=15.0,
        scale=(0.9, 1.1),
        stretch=0.15,
        shear=0.15,
        shift=0.08,
    )
]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing'), dict(type='Motion')]
_train = [
    dict(type='TemporalCropResize', clip_len=12, ratio=(0.5, 1.0), min_frames=12),
    dict(type='RandomFlip'),
]
_test = [dict(type='TemporalCropResize', clip_len=12, ratio=0.95, min_frames=12, centre=True)]
model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', transforms=_train + _base_._input + _augment + _output)],
        test_pipeline=[dict(type='MakeViews', transforms=_test + _base_._input + _output)],
    ),
    encoder=_base_.encoder_d64,
    head=dict(
        in_channels=64, num_classes=30, dropout=0.2, loss=dict(type='CrossEntropyLoss', label_smoothing=0.1)
    ),
)
_frames = [dict(type='UniformTemporalSample', clip_len=48, test_mode=True, repeat=False)]
_clips = dict(
    type='PoseDataset',
    store='data/synthetic_demo',
    pipeline=_frames,
    prepare='python demo/run_demo.py --only data',
)
_loader = dict(batch_size=64, num_workers=0, collate_fn=dict(type='collate_poses'))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_clips, split='train', few_shot=dict(shots=5, seed=0)),
)
test_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_clips, split='test', test_mode=True),
)
test_evaluator = dict(type='SignAccuracy', topk=(1, 5))

train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=100, max_keep_ckpts=1))
