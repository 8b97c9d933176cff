"""SignBERT's feasibility on HANDS17 (Table 2), full width: sequences of one hand, half of the tokens chosen,
joints and frames masked.
"""

_base_ = [
    '../_base_/models/signbert_pretrain.py',
    '../_base_/datasets/hands17.py',
    '../_base_/schedules/signbert_pretrain_60e.py',
    '../_base_/default_runtime.py',
]
# no flip: there is one hand
_train = _base_._augment[1:] + _base_._crop + _base_._mask
model = dict(data_preprocessor=dict(train_pipeline=_train))
