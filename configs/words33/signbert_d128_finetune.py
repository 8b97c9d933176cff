"""SignBERT's recogniser, narrow, on k labelled clips a gloss of words33; the table words33
sets the shots, seeds and lengths.
"""

_base_ = [
    '../_base_/models/signbert_d128_recognizer.py',
    '../_base_/schedules/signbert_60e.py',
    '../_base_/default_runtime.py',
]

_augment = [dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08)]
_crop = [dict(type='HandCrop', layout='hands_42'), dict(type='MirrorLeftHand')]
_detector = [dict(type='RandomJointJitter', sigma=0.02), dict(type='RandomHandDrop', prob=0.1)]
_zero = [dict(type='ZeroMissing')]
model = dict(
    data_preprocessor=dict(train_pipeline=_augment + _crop + _detector + _zero, test_pipeline=_crop + _zero),
    head=dict(num_classes=33),
)
_clips = dict(type='PoseDataset', store='data/words33', layout='hands_42')
# k-shot sets fill whole batches
_loader = dict(batch_size=33, num_workers=0, collate_fn=dict(type='collate_poses'))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        _clips,
        split=['train', 'val'],
        few_shot=dict(shots=1, seed=0),
        pipeline=[dict(type='UniformTemporalSample', clip_len=10)],
    ),
)
test_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        _clips,
        split='test',
        pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)],
        test_mode=True,
    ),
)
val_cfg = None
test_cfg = dict(type='TestLoop')
# '-' is rest: many of its clips show no hand at all
test_evaluator = dict(type='SignAccuracy', topk=(1, 5), exclude=['-'])

optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-4), clip_grad=dict(max_norm=5.0)
)
train_cfg = dict(_delete_=True, type='ResumableTrainLoop', max_epochs=150)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=150, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=150, max_keep_ckpts=1))
