"""The semi-supervised protocol on NMFs-CSL: fine-tuned on 20 % of the labels; 40 and 60 % by
``train_dataloader.dataset.data_ratio.ratio``.
"""

_base_ = './st_consistency_d512_b64-60e_nmfs_csl.py'
# the shares are assumed: see README.md
train_dataloader = dict(dataset=dict(data_ratio=dict(ratio=0.2, seed=0)))
