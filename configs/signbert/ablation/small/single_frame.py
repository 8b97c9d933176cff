"""Pre-training of the small setting for Table 1: exact single frames of one hand, every token chosen, as STB
has them. The rotation is that of sequence.py.
"""

_base_ = '../../../demo/signbert_d128_pretrain_synthetic.py'

_mask = [
    dict(type='MaskHandTokens', ratio=1.0, operations=('joint',), max_joints=7, offset=0.25),
    dict(type='ZeroMissing'),
]
_test = [*_base_._crop, dict(type='KeepOneHand'), *_mask]
model = dict(
    data_preprocessor=dict(train_pipeline=[dict(type='RandomFlip')] + _test, test_pipeline=_test),
    decoder=dict(rotation='none'),
)
_clips = dict(
    store='data/synthetic_poses', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic'
)
train_dataloader = dict(dataset=dict(_clips, pipeline=[dict(type='RandomTemporalSample', clip_len=1)]))
test_dataloader = dict(
    batch_size=128, dataset=dict(_clips, pipeline=[dict(type='CenterTemporalSample', clip_len=1)])
)
optim_wrapper = dict(optimizer=dict(lr=2e-3), clip_grad=dict(max_norm=50.0))
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=20, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=1, max_keep_ckpts=1))
