# SignBERT, section 4.2: Adam, lr 1e-3, weight decay 1e-4, momentum (beta1) 0.9, x 0.1 every 20 epochs. 60
# epochs are not given in the paper.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-4)
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[20, 40], gamma=0.1)]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=60, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# The paper does not say that 64 is for each GPU.
auto_scale_lr = dict(base_batch_size=64)
