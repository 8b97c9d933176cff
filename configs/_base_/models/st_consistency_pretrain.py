# ST-Consistency's pre-trainer at full width. Numbers of equations are the paper's; the ranges of the
# augmentation are not given there.
_base_ = './st_consistency_encoder.py'

# authors' code: [0.1, 1], at least 32 frames
_crop_in_time = [dict(type='TemporalCropResize', clip_len=64, ratio=(0.1, 1.0), min_frames=32)]
_whole = [dict(type='TemporalCropResize', clip_len=64, ratio=0.95, min_frames=32, centre=True)]
_input = [dict(type='HandCrop', layout='sign_49'), dict(type='NormalizeTrunk', layout='sign_49')]
_augment = [
    dict(type='RandomAffine', space='pose', rotation=30.0, scale=(0.8, 1.2), shift=0.05),
    dict(type='RandomJointMask', num_joints=10, prob=0.5),
]
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing', threshold=0.5), dict(type='Motion')]
_view = _crop_in_time + [dict(type='RandomFlip')] + _input + _augment + _output

model = dict(
    type='STConsistency',
    data_preprocessor=dict(
        type='SignDataPreprocessor',
        train_pipeline=[dict(type='MakeViews', num_views=2, transforms=_view)],
        test_pipeline=[dict(type='MakeViews', transforms=_whole + _input + _output)],
    ),
    encoder={{_base_.encoder}},
    projector=dict(type='ProjectionHead', in_channels=512, out_channels=128),
    modalities=('joint', 'motion'),
    bank=dict(type='MemoryBank', size=16384),
    # Authors' code: 0.999
    momentum=0.99,
    # eq. 2
    loss_contrast=dict(type='InfoNCELoss', temperature=0.07),
    # eq. 3
    loss_consistency=dict(type='ConsistencyLoss', temperature=0.1),
    # eqs. 4 to 7
    loss_transfer=dict(
        type='KnowledgeTransferLoss', num_anchors=8192, teacher_temperature=0.05, student_temperature=0.1
    ),
)
