"""SignBERT's recogniser (H) on nmfs_csl, full width: fine-tuned with ``--cfg-options
load_from=PRETRAINED.pth``, from scratch without.
"""

_base_ = [
    '../_base_/models/signbert_recognizer.py',
    '../_base_/datasets/nmfs_csl.py',
    '../_base_/schedules/signbert_60e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=1067))
val_cfg = None
