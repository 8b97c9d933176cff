"""R, small: 18 layers, 8 frames of 64 px of drawn hands on the demo's synthetic signs, five clips a gloss.

The videos: ``python tools/dataset_converters/store_to_videos.py data/synthetic_demo
data/synthetic_demo_videos --size 64``.
"""

_base_ = [
    '../_base_/models/r3d_r50.py',
    '../_base_/datasets/labelled_videos.py',
    '../_base_/schedules/rgb_50e.py',
    '../_base_/default_runtime.py',
]

_train = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=8, frame_interval=4, num_clips=1),
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='RandomResizedCrop', area_range=(0.7, 1.0), aspect_ratio_range=(0.9, 1.1)),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
]
_test = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=8, frame_interval=4, num_clips=1, test_mode=True),
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
]
_clips = dict(
    store='data/synthetic_demo',
    videos='data/synthetic_demo_videos',
    missing='error',
    prepare='python demo/run_demo.py --only data',
)
_loader = dict(batch_size=16, num_workers=0, persistent_workers=False, pin_memory=False)
train_dataloader = dict(_loader, dataset=dict(_clips, few_shot=dict(shots=5, seed=0), pipeline=_train))
val_cfg = None
val_dataloader = None
val_evaluator = None
test_dataloader = dict(_loader, dataset=dict(_clips, pipeline=_test))
model = dict(
    model=dict(
        backbone=dict(depth=18, base_channels=16, conv1_stride_s=1, with_pool1=False, with_pool2=False),
        cls_head=dict(num_classes=30, in_channels=128),
    )
)
default_hooks = dict(logger=dict(interval=5), checkpoint=dict(interval=50, max_keep_ckpts=1))
