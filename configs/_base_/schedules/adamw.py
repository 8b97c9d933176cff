# What few clips and a laptop can afford instead of the papers' schedules. The config gives epochs, warm-up
# and cosine.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=5.0),
)
# Each config that uses this base sets its own.
param_scheduler = []
train_cfg = dict(type='ResumableTrainLoop')
val_cfg = None
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(base_batch_size=64)
