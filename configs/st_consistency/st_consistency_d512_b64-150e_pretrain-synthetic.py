"""ST-Consistency at full width, pre-trained without labels on the default benchmark of synthetic signs; kNN
on a signer that is not in training.
"""

_base_ = [
    '../_base_/models/st_consistency_pretrain.py',
    '../_base_/datasets/synthetic.py',
    '../_base_/schedules/st_consistency_150e.py',
    '../_base_/default_runtime.py',
]
_loader = dict(batch_size=64, num_workers=4, persistent_workers=True, collate_fn=dict(type='collate_poses'))
_clips = dict(type='PoseDataset', store='data/synthetic', pipeline=_base_._frames)
_in_order = dict(_loader, sampler=dict(type='DefaultSampler', shuffle=False))
# fewer than the clips: no clip is in the bank twice for long
model = dict(bank=dict(size=4096), loss_transfer=dict(num_anchors=2048))
train_dataloader = dict(dataset=dict(pipeline=_base_._frames))
val_dataloader, val_evaluator = None, None
test_dataloader, test_evaluator = None, None
custom_hooks = [
    dict(
        type='KNNHook',
        interval=5,
        gallery=dict(_in_order, dataset=dict(_clips, split='train')),
        query=dict(_in_order, dataset=dict(_clips, split='val')),
    )
]
