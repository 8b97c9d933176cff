# Table 2 of the paper at full width.
title = 'HANDS17'
bases = dict(pretrain=dict(config='configs/signbert/ablation/full/sequences.py'))
