# What the labelled data sets share; each of them names its store.
_loader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='collate_poses'),
)
_eval = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))
_centre = [dict(type='CenterTemporalSample', clip_len=32)]

train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # section 4.2: 32 frames, random
    dataset=dict(
        type='PoseDataset', split='train', pipeline=[dict(type='RandomTemporalSample', clip_len=32)]
    ),
)
val_dataloader = dict(_eval, dataset=dict(type='PoseDataset', split='val', pipeline=_centre, test_mode=True))
# section 4.2: 32 frames, centre
test_dataloader = dict(
    _eval, dataset=dict(type='PoseDataset', split='test', pipeline=_centre, test_mode=True)
)
val_evaluator = dict(type='SignAccuracy', topk=(1, 5))
test_evaluator = dict(type='SignAccuracy', topk=(1, 5))
