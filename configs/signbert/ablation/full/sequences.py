"""SignBERT at full width, pre-trained and tested on the sequences of HANDS17, as in Table 2."""

_base_ = ['../../../_base_/models/signbert_pretrain.py', '../../../_base_/schedules/signbert_60e.py', '../../../_base_/default_runtime.py']

_clips = dict(type='PoseDataset', store='data/hands17', prepare='python tools/dataset_converters/hands17_to_store.py HANDS17 data/hands17')
_loader = dict(batch_size=64, num_workers=4, persistent_workers=True, pin_memory=True, collate_fn=dict(type='collate_poses'))
train_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(_clips, split='train', pipeline=[dict(type='RandomTemporalSample', clip_len=32)]),
)
test_dataloader = dict(
    _loader,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_clips, split='test', pipeline=[dict(type='CenterTemporalSample', clip_len=32)], test_mode=True),
)
test_evaluator = dict(type='PoseAUC')
train_cfg = dict(_delete_=True, type='ResumableTrainLoop', max_epochs=60)
val_cfg = None
