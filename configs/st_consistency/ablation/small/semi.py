"""The semi-supervised protocol of the small setting: fine-tuning on a share of the training clips of 30
glosses.
"""

_base_ = './finetune.py'
train_dataloader = dict(dataset=dict(few_shot=None, data_ratio=dict(ratio=0.2, seed=0)))
train_cfg = dict(max_epochs=15)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=15, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=15))
