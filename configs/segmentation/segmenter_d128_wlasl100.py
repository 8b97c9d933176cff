"""Finds signs in long videos: begin, inside, outside for each frame, on the encoder's tokens.

Not in the papers. Trained on clips of WLASL100 hands, spliced with rests and movements; dev and test are
spliced of clips of other signers.
"""

_base_ = [
    '../_base_/datasets/wlasl_hands100_signers.py',
    '../_base_/models/signbert_d128_recognizer.py',
    '../_base_/schedules/adamw.py',
    '../_base_/default_runtime.py',
]

_augment = [
    dict(type='RandomFlip', layout='hands_42'),
    dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08),
]
_crop = [dict(type='HandCrop', layout='hands_42'), dict(type='MirrorLeftHand')]
_detector = [dict(type='RandomJointJitter', sigma=0.01), dict(type='RandomHandDrop', prob=0.1)]
_zero = [dict(type='ZeroMissing')]
model = dict(
    type='SignSegmenter',
    data_preprocessor=dict(train_pipeline=_augment + _crop + _detector + _zero, test_pipeline=_crop + _zero),
    head=dict(_delete_=True, type='SegmentHead', in_channels=128, channels=96),
    window=96,
    # 0.64 s, chosen on the dev signers of 3, 5, 6, 7, 8 and 10: shorter finds are mostly false
    min_frames=8,
)

_loader = dict(num_workers=0, collate_fn=dict(type='collate_poses'))
_videos = dict(_loader, batch_size=8, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    _loader,
    batch_size=16,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='SplicedSigns',
        dataset={{_base_.train_clips}},
        signs=4,
        clip_len=96,
        length=640,
    ),
)
val_dataloader = dict(
    _videos,
    dataset=dict(
        type='SplicedSigns',
        dataset={{_base_.dev_clips}},
        signs=6,
        length=40,
        test_mode=True,
    ),
)
test_dataloader = dict(
    _videos,
    dataset=dict(
        type='SplicedSigns',
        dataset={{_base_.test_clips}},
        signs=6,
        length=100,
        test_mode=True,
    ),
)
val_evaluator = dict(type='SegmentF1')
test_evaluator = dict(type='SegmentF1')

# as measured, 14 more epochs follow: see README.md
train_cfg = dict(max_epochs=15, val_interval=5)
val_cfg = dict(_delete_=True, type='ValLoop')
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=40),
    dict(type='CosineAnnealingLR', T_max=15, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=5, max_keep_ckpts=1))
load_from = 'zoo://signbert_d128'
