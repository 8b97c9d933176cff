# TSM (temporal shift), a further RGB baseline of the papers: mmaction2's, 8 segments.
_normalize = [dict(type='NormalizeImages', channel_axis=-3)]
model = dict(
    type='MMActionRecognizer',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_normalize, test_pipeline=_normalize),
    input_key='imgs',
    model=dict(
        type='Recognizer2D',
        backbone=dict(
            type='ResNetTSM',
            pretrained=None,
            pretrained2d=False,
            depth=50,
            norm_eval=False,
            shift_div=8,
            num_segments=8,
        ),
        cls_head=dict(
            type='TSMHead',
            num_segments=8,
            num_classes=2000,
            in_channels=2048,
            spatial_type='avg',
            consensus=dict(type='AvgConsensus', dim=1),
            dropout_ratio=0.5,
            init_std=0.001,
            is_shift=True,
            average_clips='prob',
        ),
    ),
)
