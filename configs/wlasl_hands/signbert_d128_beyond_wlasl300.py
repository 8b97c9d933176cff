"""SignBERT's recogniser, narrow, on the WLASL hands of 300 glosses, with parts and augmentations that are not
in the paper.

Motion of the hands, a convolution over time before attention, mirrored clips, random crops and rests in time.
It starts from the recogniser of all 2,000 glosses of the same config: see README.md here.
"""

_base_ = './signbert_d128_wlasl300.py'

_augment = [
    dict(type='RandomFlip', layout='hands_42'),
    dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08),
]
_crop = [dict(type='HandCrop', layout='hands_42'), dict(type='MirrorLeftHand')]
_detector = [dict(type='RandomJointJitter', sigma=0.02), dict(type='RandomHandDrop', prob=0.1)]
model = dict(
    embedder=dict(motion=True),
    backbone=dict(conv_kernel=5),
    head=dict(dropout=0.3),
    data_preprocessor=dict(train_pipeline=[*_augment, *_crop, *_detector, dict(type='ZeroMissing')]),
)
train_dataloader = dict(
    dataset=dict(pipeline=[dict(type='RandomWindowSample', clip_len=16, crop=0.2, rest=0.2)])
)
train_cfg = dict(max_epochs=30)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', T_max=30, by_epoch=True, convert_to_iter_based=True),
]
# another vocabulary's recogniser gives its encoder alone
default_hooks = dict(load_report=dict(new_head=True))
