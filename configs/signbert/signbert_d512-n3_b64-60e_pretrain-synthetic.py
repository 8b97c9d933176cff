"""SignBERT at full width, pre-trained without labels on the default benchmark of synthetic signs."""

_base_ = [
    '../_base_/models/signbert_pretrain.py',
    '../_base_/datasets/synthetic.py',
    '../_base_/schedules/signbert_60e.py',
    '../_base_/default_runtime.py',
]
val_evaluator = dict(_delete_=True, type='PoseAUC')
test_evaluator = dict(_delete_=True, type='PoseAUC')
