"""P: mmaction2's ST-GCN on synthetic, 49 joints, joint stream."""

_base_ = [
    '../_base_/models/stgcn.py',
    '../_base_/datasets/synthetic.py',
    '../_base_/schedules/stgcn_80e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(dataset=_base_._train_clips)
val_dataloader = dict(dataset=_base_._test_clips)
test_dataloader = dict(dataset=_base_._test_clips)
model = dict(model=dict(cls_head=dict(num_classes=100)))
