# mmaction2's schedule of ST-GCN: SGD with Nesterov momentum, cosine, 80 passes (16 epochs of data repeated 5
# times there). Not given in the papers.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=80, eta_min=0, by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(type='ResumableTrainLoop', max_epochs=80, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# mmaction2: 8 x 16
auto_scale_lr = dict(base_batch_size=128)
