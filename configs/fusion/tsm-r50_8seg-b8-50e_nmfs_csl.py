"""R: TSM on the videos of nmfs_csl."""

_base_ = './tsm-r50_8seg-b8-50e_wlasl2000.py'

_videos = dict(store='data/nmfs_csl', videos='data/nmfs_csl_videos')
train_dataloader = dict(dataset=_videos)
val_cfg = None
val_dataloader = None
val_evaluator = None
test_dataloader = dict(dataset=_videos)
test_evaluator = dict(topk=(1, 2, 5), subsets=dict(confusing=range(610), normal=range(610, 1067)))
model = dict(model=dict(cls_head=dict(num_classes=1067)))
