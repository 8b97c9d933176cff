"""The demo's recogniser: trained on a few labelled clips a gloss, from scratch or, with ``load_from``, from
the pre-trained encoder.
"""

_base_ = [
    '../_base_/models/signbert_d128_recognizer.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

_augment = [
    dict(type='RandomFlip'),
    dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08),
]
_crop = [dict(type='HandCrop', layout='sign_49', location='shoulders'), dict(type='MirrorLeftHand')]
_detector = [dict(type='RandomJointJitter', sigma=0.02), dict(type='RandomHandDrop', prob=0.1)]
_zero = [dict(type='ZeroMissing')]
model = dict(
    data_preprocessor=dict(train_pipeline=_augment + _crop + _detector + _zero, test_pipeline=_crop + _zero),
    head=dict(num_classes=30),
)
_clips = dict(type='PoseDataset', store='data/synthetic_demo', prepare='python demo/run_demo.py --only data')
_loader = dict(batch_size=64, num_workers=0, collate_fn=dict(type='collate_poses'))
_test = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        _clips,
        split='test',
        pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)],
        test_mode=True,
    ),
)
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        _clips,
        split='train',
        few_shot=dict(shots=5, seed=0),
        pipeline=[dict(type='UniformTemporalSample', clip_len=16)],
    ),
)
test_dataloader = _test
test_evaluator = dict(type='SignAccuracy', topk=(1, 5))

train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=100, max_keep_ckpts=1))
