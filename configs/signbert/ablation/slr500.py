_base_ = ['parts/methods.py']
title = 'SignBERT on SLR500, top-1 in %'
also = ('table10', '10')
on = 'slr500'
columns = [dict(base=['finetune', 'skeleton', 'skeleton133', 'rgb'], metrics={'P-I': 'p_i/top1'})]
rows = _base_._rows_r3d
# ST-GCN, ST-GCN 133, 3D-R50, H, H + P, H + P 133, H + R
paper = {'SLR500 P-I': [90.0, 90.0, 95.1, 94.5, 96.6, 96.6, 97.6]}
