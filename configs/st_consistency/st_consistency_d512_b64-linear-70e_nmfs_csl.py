"""The linear protocol on NMFs-CSL: frozen query encoders of ``--cfg-options load_from=PRETRAINED.pth``,
linear classifiers.
"""

_base_ = './st_consistency_d512_b64-60e_nmfs_csl.py'
model = dict(frozen=True)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[50], gamma=0.1)]  # 0.01, then 0.001
train_cfg = dict(max_epochs=70)
