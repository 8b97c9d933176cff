# ST-Consistency, pre-training: SGD, lr 0.01, momentum 0.9, x 0.1 every 50 epochs, 150 epochs, 64 clips a GPU.
# Weight decay: authors' code.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[50, 100], gamma=0.1)]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=150)
val_cfg = None
test_cfg = None
auto_scale_lr = dict(base_batch_size=64)
