"""SignBERT, narrow, pre-trained without labels on the training clips of WLASL hands and on words33's
clips.
"""

_base_ = '../words33/signbert_d128_pretrain.py'

_clips = dict(
    type='PoseDataset', layout='hands_42', pipeline=[dict(type='UniformTemporalSample', clip_len=16)]
)
_wlasl = dict(
    store='data/wlasl_hands2000',
    prepare='python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands2000 --protocol '
    'recorded',
)
train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(_clips, **_wlasl, split='train'),
            dict(_clips, store='data/words33', split=['train', 'val']),
            dict(_clips, store='data/letters28'),
            dict(_clips, store='data/words11'),
        ],
    ),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(
        _clips,
        **_wlasl,
        split='val',
        pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)],
        test_mode=True,
    ),
)
test_cfg = dict(_delete_=True, type='TestLoop')
test_evaluator = dict(type='PoseAUC')
train_cfg = dict(max_epochs=16)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
    dict(type='CosineAnnealingLR', T_max=16, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1))
