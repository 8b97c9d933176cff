"""SignBERT's recogniser of WLASL100 hands, without the clips of the segmenter's dev and test signers."""

_base_ = ['../words33/signbert_d128_finetune.py', '../_base_/datasets/wlasl_hands100_signers.py']

model = dict(head=dict(num_classes=100))
_clips = dict(store='data/wlasl_hands100', prepare={{_base_.train_clips.prepare}}, split=None)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _clips,
        few_shot=None,
        hold_out={{_base_.train_clips.hold_out}},
        pipeline=[dict(type='UniformTemporalSample', clip_len=16)],
    ),
)
test_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _clips,
        hold_out={{_base_.test_clips.hold_out}},
        pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)],
    ),
)
test_evaluator = dict(exclude=[])
train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', T_max=100, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=1))
load_from = 'zoo://signbert_d128'
