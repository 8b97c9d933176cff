# Table 1 of the paper at full width.
title = 'STB'
bases = dict(single_frame=dict(config='configs/signbert/ablation/full/single_frame.py'))
