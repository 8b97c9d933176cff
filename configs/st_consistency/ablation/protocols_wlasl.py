_base_ = ['parts/protocols.py']
title = 'ST-Consistency on WLASL, top-1 in %'
also = ('II', 'st_table_ii')
on = 'wlasl'
rows = _base_._rows_i3d
# ST-GCN, I3D, fine-tuned, + R, linear, 20, 40, 60 %, kNN
paper = {
    'WLASL100 P-I': [None, None, 86.43, 88.37, 72.09, 49.61, 72.48, 82.17, None],
    'WLASL100 P-C': [None, None, 87.13, None, 73.27, 49.87, 73.97, 82.80, None],
    'WLASL300 P-I': [None, None, 77.84, 82.19, 59.58, 41.02, 62.57, 70.66, None],
    'WLASL300 P-C': [None, None, 78.42, None, 60.05, 41.22, 63.09, 71.16, None],
    'WLASL2000 P-I': [None, None, 51.98, 58.06, 32.35, 21.02, 36.52, 44.37, None],
    'WLASL2000 P-C': [None, None, 49.46, None, 32.49, 17.89, 32.49, 42.76, None],
}
