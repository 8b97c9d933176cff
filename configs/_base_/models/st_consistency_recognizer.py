# ST-Consistency's recogniser at full width: both query encoders, one linear layer each, logits added up.
_base_ = './st_consistency_encoder.py'

_input = [dict(type='HandCrop', layout='sign_49'), dict(type='NormalizeTrunk', layout='sign_49')]
# not given in the paper
_augment = [dict(type='RandomAffine', space='pose', rotation=15.0, scale=(0.9, 1.1), shift=0.05)]
# authors' code: joints under 0.5 are zeroed
_output = [dict(type='MirrorLeftHand'), dict(type='ZeroMissing', threshold=0.5), dict(type='Motion')]
# authors' code: [0.5, 1]
_train = [
    dict(type='TemporalCropResize', clip_len=64, ratio=(0.5, 1.0), min_frames=32),
    dict(type='RandomFlip'),
]
# authors' code: the middle 0.95
_test = [dict(type='TemporalCropResize', clip_len=64, ratio=0.95, min_frames=32, centre=True)]

model = dict(
    type='STConsistencyRecognizer',
    data_preprocessor=dict(
        type='SignDataPreprocessor',
        train_pipeline=[dict(type='MakeViews', transforms=_train + _input + _augment + _output)],
        test_pipeline=[dict(type='MakeViews', transforms=_test + _input + _output)],
    ),
    encoder={{_base_.encoder}},
    modalities=('joint', 'motion'),
    # authors' code: 'mean'
    head=dict(type='LinearFusionHead', in_channels=512, fusion='sum', loss=dict(type='CrossEntropyLoss')),
)
