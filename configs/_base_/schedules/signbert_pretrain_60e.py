# SignBERT's pre-training, section 4.2: as signbert_60e.py, without a validation on the way.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-4)
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[20, 40], gamma=0.1)]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=60)
val_cfg = None
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(base_batch_size=64)
