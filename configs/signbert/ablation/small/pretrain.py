"""Pre-training of the small setting: d = 128, 10 frames a clip, 4 passes over the unlabelled training clips
of the synthetic signs.
"""

_base_ = '../../../demo/signbert_d128_pretrain_synthetic.py'

_augment = [
    dict(type='RandomFlip'),
    dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.1, shear=0.1, shift=0.05),
]
_crop = [dict(type='HandCrop', layout='sign_49', location='shoulders'), dict(type='MirrorLeftHand')]
_mask = [
    dict(
        type='MaskHandTokens', ratio=0.5, operations=('joint', 'frame', 'identity'), max_joints=7, offset=0.25
    ),
    dict(type='ZeroMissing'),
]
model = dict(
    data_preprocessor=dict(train_pipeline=_augment + _crop + _mask, test_pipeline=_crop + _mask),
)
_clips = dict(
    store='data/synthetic_tables', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic'
)
train_dataloader = dict(
    batch_size=32, dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10)])
)
test_dataloader = dict(
    dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)])
)
optim_wrapper = dict(clip_grad=dict(max_norm=50.0))
train_cfg = dict(max_epochs=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=1, max_keep_ckpts=1))
