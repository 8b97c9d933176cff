"""ST-Consistency at full width, pre-trained on the training splits of WLASL, MS-ASL, NMFs-CSL and SLR500:
those under data/ are used.
"""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/datasets/pretrain_all.py',
    '../_base_/schedules/st_consistency_150e.py',
    '../_base_/default_runtime.py',
]
_parts = [dict(part, pipeline=_base_._frames) for part in _base_._parts]
train_dataloader = dict(dataset=dict(datasets=_parts))
