"""R of the small setting: 3D-ResNet-18, 16 channels, 8 frames of 48 px, on 30 glosses of synthetic100.py.

The videos are drawn of the poses: run_table.py draws those that a table needs.
"""

_base_ = '../../../fusion/r3d-r18_8x4-64px-b16-50e_synthetic-demo.py'

_glosses = dict(classes=[f'gloss_{number:03d}' for number in range(30)], relabel=True)
_clips = dict(
    _glosses,
    store='data/synthetic_tables',
    videos='data/synthetic_tables_videos',
    prepare='python tools/analysis_tools/run_table.py table9 --on synthetic',
)
_read = [dict(type='PyAVDecode'), dict(type='Resize', scale=(48, 48), keep_ratio=False)]
_crop = [
    dict(type='RandomResizedCrop', area_range=(0.7, 1.0), aspect_ratio_range=(0.9, 1.1)),
    dict(type='Resize', scale=(48, 48), keep_ratio=False),
]
_frames = dict(type='SampleFrames', clip_len=8, frame_interval=4, num_clips=1)
_format = [dict(type='FormatShape', input_format='NCTHW')]
_train = [dict(type='PyAVInit'), _frames, *_read, *_crop, *_format]
_test = [dict(type='PyAVInit'), dict(_frames, test_mode=True), *_read, *_format]
train_dataloader = dict(dataset=dict(_clips, pipeline=_train))
test_dataloader = dict(batch_size=50, dataset=dict(_clips, pipeline=_test))
model = dict(model=dict(backbone=dict(conv1_stride_s=2)))
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=2, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max=8,
        eta_min=0,
        by_epoch=True,
        begin=2,
        end=10,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=10))
