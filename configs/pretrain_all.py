"""SignBERT at full width, pre-trained on the training splits of WLASL, MS-ASL, NMFs-CSL and SLR500: those
under data/ are used.
"""

_base_ = [
    '_base_/models/signbert_pretrain.py',
    '_base_/datasets/pretrain_all.py',
    '_base_/schedules/signbert_pretrain_60e.py',
    '_base_/default_runtime.py',
]
test_cfg = None
