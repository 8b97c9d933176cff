"""Pre-training of the small setting on exact single frames of one hand, every token chosen, as in Table 1 on STB."""

_base_ = './sequence.py'

_augment = [dict(type='RandomFlip'), dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.1, shear=0.1, shift=0.05)]
_crop = [dict(type='HandCrop', layout='sign_49', location='shoulders'), dict(type='MirrorLeftHand'), dict(type='KeepOneHand')]
_mask = [dict(type='MaskHandTokens', ratio=1.0, operations=('joint',)), dict(type='ZeroMissing')]
model = dict(data_preprocessor=dict(train_pipeline=_augment + _crop + _mask, test_pipeline=_crop + _mask))
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=[dict(type='RandomTemporalSample', clip_len=1)]))
test_dataloader = dict(batch_size=128, dataset=dict(pipeline=[dict(type='CenterTemporalSample', clip_len=1)]))
train_cfg = dict(max_epochs=36)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=36, by_epoch=True, convert_to_iter_based=True),
]
