"""SignBERT's recogniser (H) on asl_citizen, full width: fine-tuned with ``--cfg-options
load_from=PRETRAINED.pth``, from scratch without.
"""

_base_ = [
    '../_base_/models/signbert_recognizer.py',
    '../_base_/datasets/asl_citizen.py',
    '../_base_/schedules/signbert_60e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=2731))
