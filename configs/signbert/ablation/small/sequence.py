"""Pre-training of the small setting on exact poses (no detector's faults), as HANDS17 has them: 10 frames a clip, small batches."""

_base_ = './pretrain.py'

_clips = dict(store='data/synthetic_poses', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic')
train_dataloader = dict(batch_size=8, dataset=_clips)
test_dataloader = dict(dataset=_clips)
optim_wrapper = dict(optimizer=dict(lr=2e-3), clip_grad=dict(max_norm=50.0))
train_cfg = dict(max_epochs=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=6, by_epoch=True, convert_to_iter_based=True),
]
