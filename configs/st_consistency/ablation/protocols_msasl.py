_base_ = ['parts/protocols.py']
title = 'ST-Consistency on MSASL, top-1 in %'
also = ('I', 'st_table_i')
on = 'msasl'
rows = _base_._rows_i3d
# ST-GCN, I3D, fine-tuned, + R, linear, 20, 40, 60 %, kNN
paper = {
    'MSASL100 P-I': [None, None, 86.26, 90.76, 77.15, 71.07, 80.85, 82.56, None],
    'MSASL100 P-C': [None, None, 86.63, None, 76.99, 72.06, 80.83, 82.88, None],
    'MSASL200 P-I': [None, None, 82.93, 88.82, 71.16, 65.12, 74.54, 79.76, None],
    'MSASL200 P-C': [None, None, 83.43, None, 71.81, 65.04, 74.94, 80.57, None],
    'MSASL1000 P-I': [None, None, 65.22, 74.78, 48.30, 39.09, 51.49, 59.06, None],
    'MSASL1000 P-C': [None, None, 62.68, None, 43.96, 35.07, 47.41, 56.42, None],
}
