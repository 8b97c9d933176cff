# The training splits that SignBERT pre-trains on; those present are used. 32 frames in pre-training are not given in the paper.
_prepare = 'python tools/dataset_converters/pyskl_to_store.py POSES.pkl {}  (poses in the pickle of pyskl and mmaction2)'
_pipeline = [dict(type='RandomTemporalSample', clip_len=32)]
_stores = ['data/wlasl2000', 'data/msasl1000', 'data/nmfs_csl', 'data/slr500']
_parts = [dict(type='PoseDataset', store=store, split='train', pipeline=_pipeline, prepare=_prepare.format(store)) for store in _stores]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(type='ConcatPoseDataset', allow_missing=True, datasets=_parts),
)
