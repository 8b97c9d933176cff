"""Fine-tuning on MS-ASL1000 by the authors' code where it differs from the paper: branches averaged, 80 epochs; missing hands count in batch norm."""

_base_ = './st_consistency_d512_b64-60e_msasl1000.py'
model = dict(encoder=dict(masked=False), head=dict(fusion='mean'))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[50, 70], gamma=0.1)]
train_cfg = dict(max_epochs=80)
