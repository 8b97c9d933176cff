"""R: SlowFast on the videos of wlasl2000; splits, labels and names are those of the poses' store."""

_base_ = [
    '../_base_/models/slowfast_r50.py',
    '../_base_/datasets/labelled_videos.py',
    '../_base_/schedules/rgb_50e.py',
    '../_base_/default_runtime.py',
]

_videos = dict(store='data/wlasl2000', videos='data/wlasl2000_videos')
train_dataloader = dict(dataset=_videos)
val_dataloader = dict(dataset=_videos)
test_dataloader = dict(dataset=_videos)
model = dict(model=dict(cls_head=dict(num_classes=2000)))
