"""Fine-tuning of the small setting on 30 glosses: five labelled clips a gloss; the signers of the test clips
are not in train.
"""

_base_ = '../../st_consistency_d64_b64_synthetic.py'

_glosses = dict(classes=[f'gloss_{number:03d}' for number in range(30)], relabel=True)
_clips = dict(
    _glosses,
    store='data/synthetic_tables',
    prepare='python tools/analysis_tools/run_table.py objectives --on synthetic',
)
train_dataloader = dict(batch_size=30, dataset=_clips)
test_dataloader = dict(dataset=_clips)
train_cfg = dict(max_epochs=50)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=50, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(interval=50, max_keep_ckpts=1))
