"""Fine-tuning of the small setting on 100 glosses: five labelled clips a gloss; the signers of the test clips
are not in train.
"""

_base_ = '../../../demo/signbert_d128_finetune_synthetic.py'

_clips = dict(
    store='data/synthetic_tables', prepare='python tools/analysis_tools/run_table.py table4 --on synthetic'
)
model = dict(head=dict(num_classes=100))
train_dataloader = dict(
    batch_size=50, dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10)])
)
test_dataloader = dict(
    dataset=dict(_clips, pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)])
)
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=20, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(interval=20, max_keep_ckpts=1))
