"""Fine-tuning of the small setting on the first 30 glosses: five labelled clips a gloss."""

_base_ = './synthetic100.py'

_glosses = dict(classes=[f'gloss_{number:03d}' for number in range(30)], relabel=True)
model = dict(head=dict(num_classes=30))
train_dataloader = dict(batch_size=30, dataset=_glosses)
test_dataloader = dict(dataset=_glosses)
train_cfg = dict(max_epochs=50)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=50, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=50))
