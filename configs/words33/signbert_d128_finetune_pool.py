"""SignBERT's recogniser on all labelled clips of words33's pool: the whole-pool run of the table words33 with
seed 0,
as a config of its own for the zoo.

It starts from the pre-trained encoder: `load_from`, see its entry in configs/signbert/metafile.yml.
"""

_base_ = './signbert_d128_finetune.py'

train_dataloader = dict(dataset=dict(few_shot=None))
train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=12, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=12))
