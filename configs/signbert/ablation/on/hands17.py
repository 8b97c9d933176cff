# Table 2 of the paper at full width.
title = 'HANDS17'
bases = dict(sequence=dict(config='configs/signbert/signbert_d512-n3_b64-60e_hands17.py'))
