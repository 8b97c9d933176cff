"""ST-Consistency at full width, pre-trained on the training splits of WLASL, MS-ASL, NMFs-CSL and SLR500: those under data/ are used."""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/datasets/pretrain_all.py',
    '../_base_/schedules/st_consistency_150e.py',
    '../_base_/default_runtime.py',
]
_prepare = 'python tools/dataset_converters/pyskl_to_store.py POSES.pkl {}  (poses in the pickle of pyskl and mmaction2)'
_frames = [dict(type='UniformTemporalSample', clip_len=150, test_mode=True, repeat=False)]  # whole clips, strided over 150 frames
_stores = ['data/wlasl2000', 'data/msasl1000', 'data/nmfs_csl', 'data/slr500']
_parts = [dict(type='PoseDataset', store=store, split='train', pipeline=_frames, prepare=_prepare.format(store)) for store in _stores]
train_dataloader = dict(dataset=dict(datasets=_parts))
