# Table 2 of the paper at full width.
title = 'HANDS17'
bases = dict(sequence=dict(config='configs/signbert/ablation/full/sequences.py'))
