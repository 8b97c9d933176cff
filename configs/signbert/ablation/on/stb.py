# Table 1 of the paper at full width.
title = 'STB'
bases = dict(single_frame=dict(config='configs/signbert/signbert_d512-n3_b64-60e_stb.py'))
