# R of WLASL and MS-ASL: mmaction2's I3D (ResNet-50 inflated). Start from weights of mmaction2 with
# --cfg-options model.model.backbone.pretrained=.. or from a Kinetics recogniser with load_from.
_normalize = [dict(type='NormalizeImages')]
model = dict(
    type='MMActionRecognizer',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_normalize, test_pipeline=_normalize),
    input_key='imgs',
    model=dict(
        type='Recognizer3D',
        backbone=dict(
            type='ResNet3d',
            depth=50,
            pretrained=None,
            conv1_kernel=(5, 7, 7),
            conv1_stride_t=2,
            pool1_stride_t=2,
            conv_cfg=dict(type='Conv3d'),
            norm_eval=False,
            inflate=((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0)),
            zero_init_residual=False,
        ),
        cls_head=dict(
            type='I3DHead',
            num_classes=2000,
            in_channels=2048,
            spatial_type='avg',
            dropout_ratio=0.5,
            init_std=0.01,
            average_clips='prob',
        ),
    ),
)
