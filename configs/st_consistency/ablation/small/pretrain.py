"""Pre-training of the small setting: d = 64, 12 frames a clip, 4 passes over the unlabelled training clips of
the synthetic signs; tested by kNN.
"""

_base_ = '../../st_consistency_d64_b32_pretrain-synthetic.py'

_prepare = 'python tools/analysis_tools/run_table.py objectives --on synthetic'
_frames = [dict(type='UniformTemporalSample', clip_len=48, test_mode=True, repeat=False)]
_clips = dict(type='PoseDataset', store='data/synthetic_tables', pipeline=_frames, prepare=_prepare)
_loader = dict(
    batch_size=64,
    num_workers=0,
    collate_fn=dict(type='collate_poses'),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
# those that fine-tuning has
_glosses = dict(classes=[f'gloss_{number:03d}' for number in range(30)], relabel=True)
train_dataloader = dict(dataset=dict(store='data/synthetic_tables', prepare=_prepare))
test_dataloader = dict(_loader, dataset=dict(_clips, **_glosses, split='test', test_mode=True))
test_cfg = dict(
    _delete_=True, type='KNNTestLoop', gallery=dict(_loader, dataset=dict(_clips, **_glosses, split='train'))
)
test_evaluator = dict(type='SignAccuracy', topk=(1, 5))
custom_hooks = []  # no kNN on the way
train_cfg = dict(max_epochs=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=1, max_keep_ckpts=1))
