"""TSM of the small setting: ResNet-18, 4 segments of r3d.py's clips."""

_base_ = './r3d.py'

_segments = dict(type='SampleFrames', clip_len=1, frame_interval=1, num_clips=4)
_format = dict(type='FormatShape', input_format='NCHW')
_normalize = [dict(type='NormalizeImages', channel_axis=-3)]
train_dataloader = dict(
    dataset=dict(
        pipeline=[dict(type='PyAVInit'), _segments, *_base_._read, *_base_._crop, _format],
    )
)
test_dataloader = dict(
    dataset=dict(
        pipeline=[dict(type='PyAVInit'), dict(_segments, test_mode=True), *_base_._read, _format],
    )
)
model = dict(
    data_preprocessor=dict(train_pipeline=_normalize, test_pipeline=_normalize),
    model=dict(
        type='Recognizer2D',
        backbone=dict(
            _delete_=True,
            type='ResNetTSM',
            pretrained=None,
            pretrained2d=False,
            depth=18,
            norm_eval=False,
            shift_div=8,
            num_segments=4,
        ),
        cls_head=dict(
            _delete_=True,
            type='TSMHead',
            num_segments=4,
            num_classes=30,
            in_channels=512,
            spatial_type='avg',
            consensus=dict(type='AvgConsensus', dim=1),
            dropout_ratio=0.5,
            init_std=0.001,
            is_shift=True,
            average_clips='prob',
        ),
    ),
)
