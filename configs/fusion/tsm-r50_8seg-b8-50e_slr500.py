"""R: TSM on the videos of slr500."""

_base_ = './tsm-r50_8seg-b8-50e_wlasl2000.py'

_videos = dict(store='data/slr500', videos='data/slr500_videos')
train_dataloader = dict(dataset=_videos)
val_cfg = None
val_dataloader = None
val_evaluator = None
test_dataloader = dict(dataset=_videos)
model = dict(model=dict(cls_head=dict(num_classes=500)))
