# The training splits that SignBERT pre-trains on; those present are used. 32 frames in pre-training are not
# given in the paper.
_pipeline = [dict(type='RandomTemporalSample', clip_len=32)]
_converter = (
    'python tools/dataset_converters/{}_to_store.py {} data/{} --videos {} --extractor mediapipe  '
    '(docs/dataset_zoo/{}.md)'
)
_parts = [
    dict(
        type='PoseDataset',
        store=f'data/{store}',
        split='train',
        pipeline=_pipeline,
        prepare=_converter.format(name, root, store, videos, name),
    )
    for name, store, root, videos in (
        ('wlasl', 'wlasl2000', 'WLASL', 'WLASL/start_kit/videos'),
        ('msasl', 'msasl1000', 'MS-ASL', 'MS-ASL/videos'),
        ('nmfs_csl', 'nmfs_csl', 'NMFs-CSL', 'NMFs-CSL/video'),
        ('slr500', 'slr500', 'SLR500', 'SLR500/color'),
    )
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(type='ConcatPoseDataset', allow_missing=True, datasets=_parts),
)
