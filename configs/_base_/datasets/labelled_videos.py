# What RGB configs share: mmaction2's pipeline for 32 frames at stride 2, 224 px; each config names its store
# and its folder of videos.
_frames = dict(type='SampleFrames', clip_len=32, frame_interval=2, num_clips=1)
_train = [
    dict(type='PyAVInit'),
    _frames,
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomResizedCrop', area_range=(0.6, 1.0)),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
]
_test = [
    dict(type='PyAVInit'),
    dict(_frames, test_mode=True),
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
]
_clips = dict(type='SignVideoDataset', missing='drop')
_loader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'),
)
_eval = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))

train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_clips, split='train', pipeline=_train),
)
val_dataloader = dict(_eval, dataset=dict(_clips, split='val', pipeline=_test, test_mode=True))
test_dataloader = dict(_eval, dataset=dict(_clips, split='test', pipeline=_test, test_mode=True))
val_evaluator = dict(type='SignAccuracy', topk=(1, 5))
test_evaluator = dict(type='SignAccuracy', topk=(1, 5))
