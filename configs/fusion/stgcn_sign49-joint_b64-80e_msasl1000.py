"""P: mmaction2's ST-GCN on msasl1000, 49 joints, joint stream. 64 frames are not given in the paper."""

_base_ = [
    '../_base_/models/stgcn.py',
    '../_base_/datasets/msasl1000.py',
    '../_base_/schedules/stgcn_80e.py',
    '../_base_/default_runtime.py',
]

_whole = dict(layout='sign_49', drop_empty_frames=False)
_test = dict(_whole, pipeline=[dict(type='UniformTemporalSample', clip_len=64, test_mode=True)])
train_dataloader = dict(dataset=dict(_whole, pipeline=[dict(type='UniformTemporalSample', clip_len=64)]))
val_dataloader = dict(dataset=_test)
test_dataloader = dict(dataset=_test)
model = dict(model=dict(cls_head=dict(num_classes=1000)))
