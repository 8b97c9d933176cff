"""Pre-training of the small setting: d = 128, 10 frames a clip, 4 passes over the unlabelled training clips
of the synthetic signs.
"""

_base_ = '../../../demo/signbert_d128_pretrain_synthetic.py'

_test = _base_._crop + _base_._mask
model = dict(
    data_preprocessor=dict(train_pipeline=_base_._augment + _test, test_pipeline=_test),
)
_clips = dict(
    store='data/synthetic_tables', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic'
)
train_dataloader = dict(
    batch_size=32, dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10)])
)
test_dataloader = dict(
    dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)])
)
optim_wrapper = dict(clip_grad=dict(max_norm=50.0))
train_cfg = dict(max_epochs=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=1, max_keep_ckpts=1))
