"""R: 3D-ResNet-50 on the videos of slr500; splits, labels and names are those of the poses' store."""

_base_ = [
    '../_base_/models/r3d_r50.py',
    '../_base_/datasets/labelled_videos.py',
    '../_base_/schedules/rgb_50e.py',
    '../_base_/default_runtime.py',
]

_videos = dict(store='data/slr500', videos='data/slr500_videos')
train_dataloader = dict(dataset=_videos)
val_cfg = None
val_dataloader = None
val_evaluator = None
test_dataloader = dict(dataset=_videos)
model = dict(model=dict(cls_head=dict(num_classes=500)))
