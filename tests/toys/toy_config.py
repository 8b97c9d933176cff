custom_imports = dict(imports=['toy_parts'])
default_scope = 'signbert_mm'
model = dict(type='ToyRecognizer', num_classes=4)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(type='ToyDataset'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(type='ToyDataset'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='ToyAccuracy')
test_evaluator = val_evaluator
train_cfg = dict(type='ResumableTrainLoop', max_epochs=4)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=8),
    dict(type='StepLR', step_size=2, by_epoch=True),
]
auto_scale_lr = dict(base_batch_size=4)
default_hooks = dict(
    checkpoint=dict(type='SafeCheckpointHook', interval=1),
    sampler_seed=dict(type='EpochSeedHook'),
    load_report=dict(type='LoadReportHook'),
    logger=dict(type='LoggerHook', interval=3),
)
custom_hooks = [dict(type='KillHook'), dict(type='LossLogHook')]
randomness = dict(seed=3)
