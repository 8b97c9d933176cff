"""P of the small setting: mmaction2's ST-GCN, narrow, over 49 joints, on the clips of synthetic100.py."""

_base_ = '../../../fusion/stgcn-c24_sign49-joint_b64-100e_synthetic-demo.py'

_clips = dict(
    store='data/synthetic_tables', prepare='python tools/analysis_tools/run_table.py table9 --on synthetic'
)
model = dict(model=dict(cls_head=dict(num_classes=100)))
train_dataloader = dict(batch_size=50, dataset=_clips)
test_dataloader = dict(dataset=_clips)
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=10, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(interval=10, max_keep_ckpts=1))
