"""The linear protocol on MS-ASL1000: frozen query encoders of ``--cfg-options load_from=PRETRAINED.pth``,
linear classifiers.
"""

_base_ = './st_consistency_d512_b64-60e_msasl1000.py'
model = dict(frozen=True)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[50], gamma=0.1)]  # 0.01, then 0.001
train_cfg = dict(max_epochs=70)
