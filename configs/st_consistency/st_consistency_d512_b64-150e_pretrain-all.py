"""ST-Consistency at full width, pre-trained on the training splits of WLASL, MS-ASL, NMFs-CSL and SLR500:
those under data/ are used.
"""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/datasets/pretrain_all.py',
    '../_base_/schedules/st_consistency_150e.py',
    '../_base_/default_runtime.py',
]
_converter = (
    'python tools/dataset_converters/{}_to_store.py {} data/{} --videos {} --extractor mediapipe  '
    '(docs/dataset_zoo/{}.md)'
)
# whole clips, strided over 150 frames
_frames = [dict(type='UniformTemporalSample', clip_len=150, test_mode=True, repeat=False)]
_parts = [
    dict(
        type='PoseDataset',
        store=f'data/{store}',
        split='train',
        pipeline=_frames,
        prepare=_converter.format(name, root, store, videos, name),
    )
    for name, store, root, videos in (
        ('wlasl', 'wlasl2000', 'WLASL', 'WLASL/start_kit/videos'),
        ('msasl', 'msasl1000', 'MS-ASL', 'MS-ASL/videos'),
        ('nmfs_csl', 'nmfs_csl', 'NMFs-CSL', 'NMFs-CSL/video'),
        ('slr500', 'slr500', 'SLR500', 'SLR500/color'),
    )
]
train_dataloader = dict(dataset=dict(datasets=_parts))
