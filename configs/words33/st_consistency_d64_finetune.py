"""ST-Consistency's recogniser, narrow, on k labelled clips a gloss of words33;
the table words33 sets shots, seeds and lengths.
"""

_base_ = [
    '../_base_/models/st_consistency_d64_recognizer.py',
    '../_base_/schedules/st_consistency_60e.py',
    '../_base_/default_runtime.py',
]

_input = [dict(type='HandCrop', layout='sign_49'), dict(type='NormalizeTrunk', layout='sign_49')]
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
_detector = [dict(type='RandomHandDrop', prob=0.1)]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing'), dict(type='Motion')]
_train = [dict(type='TemporalCropResize', clip_len=10, ratio=(0.5, 1.0), min_frames=10)]
_test = [dict(type='TemporalCropResize', clip_len=10, ratio=0.95, min_frames=10, centre=True)]
model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', transforms=_train + _input + _augment + _detector + _output)],
        test_pipeline=[dict(type='MakeViews', transforms=_test + _input + _output)],
    ),
    head=dict(num_classes=33, dropout=0.2, loss=dict(type='CrossEntropyLoss', label_smoothing=0.1)),
)
# all frames there are
_frames = [dict(type='UniformTemporalSample', clip_len=24, test_mode=True, repeat=False)]
_clips = dict(type='PoseDataset', store='data/words33', layout='sign_49', pipeline=_frames)
# k-shot sets fill whole batches
_loader = dict(batch_size=33, num_workers=0, collate_fn=dict(type='collate_poses'))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_clips, split=['train', 'val'], few_shot=dict(shots=1, seed=0)),
)
test_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_clips, split='test', test_mode=True),
)
val_cfg = None
# '-' is rest: many of its clips show no hand at all
test_evaluator = dict(type='SignAccuracy', topk=(1, 5), exclude=['-'])

# not the paper's SGD: the same recipe as SignBERT's row of the table
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-4), clip_grad=dict(max_norm=5.0)
)
train_cfg = dict(_delete_=True, type='ResumableTrainLoop', max_epochs=150)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=150, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=150, max_keep_ckpts=1))
