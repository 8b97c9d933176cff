"""SignBERT's recogniser on the WLASL hands of 100 glosses, which also learns what is none of them.

Half of the 1,900 other glosses, hands at rest and transitions are outputs of the head beside the 100 glosses
(not in the papers). The other half is for calibration and measurement.
"""

_base_ = '../words33/signbert_d128_finetune.py'

_prepare = 'python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands'
_clips = dict(
    type='PoseDataset',
    layout='hands_42',
    split='train',
    pipeline=[dict(type='UniformTemporalSample', clip_len=16)],
)
_known = dict(store='data/wlasl_hands100', prepare=f'{_prepare}100 --protocol recorded --subset in100')
_all = dict(
    store='data/wlasl_hands2000_single', prepare=f'{_prepare}2000_single --protocol recorded --drop-twins'
)

# 952 other glosses, and no sign
model = dict(head=dict(num_classes=100, num_unknown=953))
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True,
        type='OpenSetDataset',
        known=dict(_clips, **_known),
        unknown=dict(_clips, **_all),
        part=0,
        parts=2,
        share=0.5,
        no_sign=0.2,
    ),
)
test_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _known, split='val', pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)]
    ),
)
test_evaluator = dict(exclude=[])
train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
