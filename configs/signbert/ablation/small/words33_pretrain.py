"""Pre-training for the tables on words33: configs/words33/signbert_d128_pretrain.py with 8 passes over the
clips instead of 80.

Warm-up and cosine are a tenth as long too. The length was set by what 20 pre-trainings cost on one core,
before any of them was tested.
"""

_base_ = '../../../words33/signbert_d128_pretrain.py'

train_cfg = dict(max_epochs=8)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=8, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=1, max_keep_ckpts=1))
