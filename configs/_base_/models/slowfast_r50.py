# SlowFast 4 x 16, a further RGB baseline of the papers: mmaction2's.
_normalize = [dict(type='NormalizeImages')]
model = dict(
    type='MMActionRecognizer',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_normalize, test_pipeline=_normalize),
    input_key='imgs',
    model=dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3dSlowFast',
            pretrained=None,
            resample_rate=8,
            speed_ratio=8,
            channel_ratio=8,
            slow_pathway=dict(
                type='resnet3d',
                depth=50,
                pretrained=None,
                lateral=True,
                conv1_kernel=(1, 7, 7),
                dilations=(1, 1, 1, 1),
                conv1_stride_t=1,
                pool1_stride_t=1,
                inflate=(0, 0, 1, 1),
                norm_eval=False,
            ),
            fast_pathway=dict(
                type='resnet3d',
                depth=50,
                pretrained=None,
                lateral=False,
                base_channels=8,
                conv1_kernel=(5, 7, 7),
                conv1_stride_t=1,
                pool1_stride_t=1,
                norm_eval=False,
            ),
        ),
        cls_head=dict(
            type='SlowFastHead',
            in_channels=2304,
            num_classes=2000,
            spatial_type='avg',
            dropout_ratio=0.5,
            average_clips='prob',
        ),
    ),
)
