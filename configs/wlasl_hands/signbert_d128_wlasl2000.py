"""SignBERT's recogniser, narrow, on the WLASL hands of 2000 glosses, as signbert_d128_wlasl300.py."""

_base_ = './signbert_d128_wlasl300.py'

_clips = dict(
    store='data/wlasl_hands2000',
    prepare='python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands2000 --protocol '
    'recorded',
)
model = dict(head=dict(num_classes=2000))
train_dataloader = dict(dataset=_clips)
test_dataloader = dict(dataset=_clips)
train_cfg = dict(max_epochs=40)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', T_max=40, by_epoch=True, convert_to_iter_based=True),
]
