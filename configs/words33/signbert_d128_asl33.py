"""The recogniser of 32 ASL letters and words that comes with the package: `zoo://signbert_d128_asl33`.

It is the whole-pool recogniser without the clips of val, which set the threshold of "none of these signs".
That answer follows from the distance to the training clips (not in the papers).

It starts from the pre-trained encoder: `load_from`, see its entry in configs/signbert/metafile.yml.
"""

_base_ = './signbert_d128_finetune.py'

model = dict(head=dict(distance=True))
train_dataloader = dict(dataset=dict(split='train', few_shot=None))
train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=12, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=12))
