"""The paper's pre-training, tested by kNN: the training clips of the labelled data set vote on its test
clips. A setting names the data set.
"""

_base_ = '../../st_consistency_d512_b64-150e_pretrain-all.py'

_loader = dict(
    batch_size=64,
    num_workers=4,
    collate_fn=dict(type='collate_poses'),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
_clips = dict(
    type='PoseDataset',
    store='data/msasl1000',
    pipeline=_base_._frames,
)
test_dataloader = dict(_loader, dataset=dict(_clips, split='test', test_mode=True))
test_cfg = dict(_delete_=True, type='KNNTestLoop', gallery=dict(_loader, dataset=dict(_clips, split='train')))
test_evaluator = dict(type='SignAccuracy', topk=(1, 5))
