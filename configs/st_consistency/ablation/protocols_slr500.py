_base_ = ['parts/protocols.py']
title = 'ST-Consistency on SLR500, top-1 in %'
also = ('IV', 'st_table_iv')
on = 'slr500'
columns = [dict(base=_base_._bases, metrics={'P-I': 'p_i/top1'})]
rows = _base_._rows_r3d
# ST-GCN, 3D-R50, fine-tuned, + R, linear, 20, 40, 60 %, kNN
paper = {'SLR500 P-I': [None, None, 96.9, None, 94.3, 95.2, 95.9, 96.3, None]}
