"""R: 3D-ResNet-50 on the videos of nmfs_csl; splits, labels and names are those of the poses' store."""

_base_ = [
    '../_base_/models/r3d_r50.py',
    '../_base_/datasets/labelled_videos.py',
    '../_base_/schedules/rgb_50e.py',
    '../_base_/default_runtime.py',
]

_videos = dict(store='data/nmfs_csl', videos='data/nmfs_csl_videos')
train_dataloader = dict(dataset=_videos)
val_cfg = None
val_dataloader = None
val_evaluator = None
test_dataloader = dict(dataset=_videos)
test_evaluator = dict(topk=(1, 2, 5), subsets=dict(confusing=range(610), normal=range(610, 1067)))
model = dict(model=dict(cls_head=dict(num_classes=1067)))
