"""Pre-training of the small setting for Table 1: exact single frames of one hand, every token chosen, as STB
has them.
"""

_base_ = './sequence.py'

_crop = [
    dict(type='HandCrop', layout='sign_49', location='shoulders'),
    dict(type='MirrorLeftHand'),
    dict(type='KeepOneHand'),
]
_mask = [
    dict(type='MaskHandTokens', ratio=1.0, operations=('joint',), max_joints=7, offset=0.25),
    dict(type='ZeroMissing'),
]
model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='RandomFlip')] + _crop + _mask, test_pipeline=_crop + _mask
    )
)
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=[dict(type='RandomTemporalSample', clip_len=1)]))
test_dataloader = dict(batch_size=128, dataset=dict(pipeline=[dict(type='CenterTemporalSample', clip_len=1)]))
optim_wrapper = dict(optimizer=dict(lr=2e-3))
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=20, by_epoch=True, convert_to_iter_based=True),
]
