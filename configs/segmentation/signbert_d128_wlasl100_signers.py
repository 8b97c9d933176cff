"""SignBERT's recogniser of WLASL100 hands, without the clips of the segmenter's dev and test signers."""

_base_ = ['../wlasl_hands/signbert_d128_wlasl300.py', '../_base_/datasets/wlasl_hands100_signers.py']

model = dict(head=dict(num_classes=100))
train_dataloader = dict(
    dataset=dict(
        store='data/wlasl_hands100',
        prepare={{_base_.train_clips.prepare}},
        split=None,
        hold_out={{_base_.train_clips.hold_out}},
    ),
)
test_dataloader = dict(
    dataset=dict(
        store='data/wlasl_hands100',
        prepare={{_base_.train_clips.prepare}},
        split=None,
        hold_out={{_base_.test_clips.hold_out}},
    ),
)
train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, convert_to_iter_based=True),
]
load_from = 'zoo://signbert_d128'
