"""Pre-training of the small setting for Table 2: exact poses (no detector's faults), as HANDS17 has them, and
more passes than for recognition.

The rotation is the raw 3 x 3 of eq. 5, with which the hand model learns faster than with the 6-D one.
"""

_base_ = '../../../demo/signbert_d128_pretrain_synthetic.py'

_test = _base_._crop + _base_._mask
model = dict(
    data_preprocessor=dict(train_pipeline=[dict(type='RandomFlip')] + _test, test_pipeline=_test),
    decoder=dict(rotation='none'),
)
_clips = dict(
    store='data/synthetic_poses', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic'
)
train_dataloader = dict(
    batch_size=16, dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10)])
)
test_dataloader = dict(
    dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)])
)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3), clip_grad=dict(max_norm=50.0))
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=10, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=1, max_keep_ckpts=1))
