"""Pre-training of the small setting: d = 128, 10 frames a clip, 6 passes over the unlabelled training clips of the synthetic signs."""

_base_ = '../../../demo/signbert_d128_pretrain_synthetic.py'

_clips = dict(store='data/synthetic_tables', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic')
train_dataloader = dict(dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10)]))
test_dataloader = dict(dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)]))
train_cfg = dict(max_epochs=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=6, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=1, max_keep_ckpts=1))
