"""R: TSM on the videos of wlasl2000; splits, labels and names are those of the poses' store."""

_base_ = [
    '../_base_/models/tsm_r50.py',
    '../_base_/datasets/labelled_videos.py',
    '../_base_/schedules/rgb_50e.py',
    '../_base_/default_runtime.py',
]

_train = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=1, frame_interval=1, num_clips=8),
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomResizedCrop', area_range=(0.6, 1.0)),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='FormatShape', input_format='NCHW'),
]
_test = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=1, frame_interval=1, num_clips=8, test_mode=True),
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCHW'),
]

_videos = dict(store='data/wlasl2000', videos='data/wlasl2000_videos')
train_dataloader = dict(dataset=dict(_videos, pipeline=_train))
val_dataloader = dict(dataset=dict(_videos, pipeline=_test))
test_dataloader = dict(dataset=dict(_videos, pipeline=_test))
model = dict(model=dict(cls_head=dict(num_classes=2000)))
