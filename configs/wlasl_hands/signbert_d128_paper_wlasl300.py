"""SignBERT's recogniser by the paper alone, narrow, on the WLASL hands of 300 glosses: from scratch, or with
``load_from`` from the encoder.

Tested on val: see README.md here.
"""

_base_ = '../words33/signbert_d128_finetune.py'

model = dict(head=dict(num_classes=300))
_clips = dict(
    store='data/wlasl_hands300',
    prepare='python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands300 --protocol '
    'recorded --subset in300',
)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _clips, split='train', few_shot=None, pipeline=[dict(type='UniformTemporalSample', clip_len=16)]
    ),
)
test_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _clips, split='val', pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)]
    ),
)
test_evaluator = dict(exclude=[])
train_cfg = dict(max_epochs=50)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', T_max=50, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
