"""SignBERT, narrow, pre-trained without labels on real clips: the pool of words33, and all of letters28 and
words11. Hands only.
"""

_base_ = [
    '../_base_/models/signbert_d128_pretrain.py',
    '../_base_/schedules/signbert_pretrain_60e.py',
    '../_base_/default_runtime.py',
]

_augment = [dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.1, shear=0.1, shift=0.05)]
_crop = [dict(type='HandCrop', layout='hands_42'), dict(type='MirrorLeftHand')]
_mask = [dict(type='MaskHandTokens'), dict(type='ZeroMissing')]
model = dict(
    data_preprocessor=dict(
        train_pipeline=_augment + _crop + [dict(type='RandomJointJitter', sigma=0.01)] + _mask,
        test_pipeline=_crop + _mask,
    ),
)
_clips = dict(
    type='PoseDataset', layout='hands_42', pipeline=[dict(type='UniformTemporalSample', clip_len=10)]
)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(
        type='ConcatPoseDataset',
        # One extractor in two layouts: the hands are the same.
        mixed_extractors='allow',
        datasets=[
            dict(_clips, store='data/words33', split=['train', 'val']),
            dict(_clips, store='data/letters28'),
            dict(_clips, store='data/words11'),
        ],
    ),
)
# not the paper's schedule: a warm-up and a cosine reach further in the epochs that a laptop can afford
optim_wrapper = dict(optimizer=dict(weight_decay=0.0), clip_grad=dict(max_norm=5.0))
train_cfg = dict(max_epochs=80)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
    dict(type='CosineAnnealingLR', T_max=80, by_epoch=True, convert_to_iter_based=True),
]
test_cfg = None
default_hooks = dict(checkpoint=dict(interval=5))
