"""SignBERT's feasibility on STB (Table 1), full width: single frames, one hand, every token chosen, joints
masked; M = 7 (Table 1 has 3 to 11).
"""

_base_ = [
    '../_base_/models/signbert_pretrain.py',
    '../_base_/datasets/stb.py',
    '../_base_/schedules/signbert_pretrain_60e.py',
    '../_base_/default_runtime.py',
]
# no flip: there is one hand
_mask = [
    dict(type='MaskHandTokens', ratio=1.0, operations=('joint',), max_joints=7, offset=0.25),
    dict(type='ZeroMissing'),
]
_train = _base_._augment[1:] + _base_._crop + _mask
model = dict(data_preprocessor=dict(train_pipeline=_train, test_pipeline=_base_._crop + _mask))
