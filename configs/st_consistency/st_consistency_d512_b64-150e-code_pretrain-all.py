"""Pre-training by the authors' code where it differs from the paper: overall bank, consistency over anchors,
weights of 1, augmentation, momentum, schedule. What is still otherwise: docs/papers.md.
"""

_base_ = './st_consistency_d512_b64-150e_pretrain-all.py'

_input = _base_._input + [dict(type='MirrorLeftHand')]
_corrupt = dict(type='RandomJointMask', num_joints=25, prob=1.0, corrupt=0.5)
_shear = dict(
    type='RandomAffine',
    space='pose',
    centre=0.0,
    rotation=0.0,
    scale=(1.0, 1.0),
    shift=0.0,
    shear=1.0,
    shear_y=1.0,
)
_augment = [dict(type='RandomChoice', transforms=[_corrupt, _shear]), dict(type='RandomFlip', space='hands')]
_output = [
    dict(type='ZeroMissing', threshold=0.5, trunk_threshold=0.0),
    dict(type='Motion', zero='last', missing='jump'),
]
_view = _base_._crop_in_time + _input + _augment + _output
_attention = dict(norm_eps=1e-12)

model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', num_views=2, transforms=_view)],
        test_pipeline=[dict(type='MakeViews', transforms=_base_._whole + _input + _output)],
    ),
    encoder=dict(
        masked=False,
        attend_missing=True,
        hands_apart=True,
        hand_backbone=_attention,
        trunk_backbone=_attention,
    ),
    bank=dict(size=8192, init='random'),
    overall_bank=dict(type='MemoryBank', size=16384, init='random'),
    momentum=0.999,
    weights=dict(joint=1.0, motion=1.0),
    loss_consistency=dict(num_anchors=1024, temperature=0.1, teacher_temperature=0.05),
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[100], gamma=0.1)]
