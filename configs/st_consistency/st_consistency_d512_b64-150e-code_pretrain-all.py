"""Pre-training by the authors' code where it differs from the paper: overall bank, consistency over anchors,
augmentation, momentum, schedule.
"""

_base_ = './st_consistency_d512_b64-150e_pretrain-all.py'

_corrupt = dict(type='RandomJointMask', num_joints=25, prob=1.0, corrupt=0.5)
_shear = dict(
    type='RandomAffine', space='pose', rotation=0.0, scale=(1.0, 1.0), shift=0.0, shear=1.0, shear_y=1.0
)
_augment = [dict(type='RandomChoice', transforms=[_corrupt, _shear])]
_output = [
    dict(type='MirrorLeftHand'),
    dict(type='ZeroMissing', threshold=0.5),
    dict(type='Motion', zero='last'),
]
_view = _base_._crop_in_time + [dict(type='RandomFlip')] + _base_._input + _augment + _output

model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', num_views=2, transforms=_view)],
        test_pipeline=[dict(type='MakeViews', transforms=_base_._whole + _base_._input + _output)],
    ),
    encoder=dict(masked=False),
    bank=dict(size=8192),
    overall_bank=dict(type='MemoryBank', size=16384),
    momentum=0.999,
    loss_consistency=dict(num_anchors=1024),
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[100], gamma=0.1)]
