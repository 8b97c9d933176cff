"""ST-Consistency's recogniser on MS-ASL1000, full width: fine-tuned with ``--cfg-options
load_from=PRETRAINED.pth``, from scratch without.
"""

_base_ = [
    '../_base_/models/st_consistency_recognizer.py',
    '../_base_/datasets/msasl1000.py',
    '../_base_/schedules/st_consistency_60e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=1000))
train_dataloader = dict(dataset=dict(pipeline=_base_._frames))
val_dataloader = dict(dataset=dict(pipeline=_base_._frames))
test_dataloader = dict(dataset=dict(pipeline=_base_._frames))
