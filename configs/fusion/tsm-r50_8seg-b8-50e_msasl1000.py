"""R: TSM on the videos of msasl1000."""

_base_ = './tsm-r50_8seg-b8-50e_wlasl2000.py'

_videos = dict(store='data/msasl1000', videos='data/msasl1000_videos')
train_dataloader = dict(dataset=_videos)
val_dataloader = dict(dataset=_videos)
test_dataloader = dict(dataset=_videos)
model = dict(model=dict(cls_head=dict(num_classes=1000)))
