_base_ = ['parts/protocols.py']
title = 'ST-Consistency on MSASL, top-1 in %'
also = ('I', 'st_table_i')
on = 'msasl'
rows = _base_._rows_i3d
# ST-GCN, I3D, fine-tuned, + R, linear, 20, 40, 60 %, kNN
paper = {
    'MSASL100 P-I': [59.84, None, 86.26, 90.76, 77.15, 71.07, 80.85, 82.56, None],
    'MSASL100 P-C': [60.79, 81.76, 86.63, None, 76.99, 72.06, 80.83, 82.88, None],
    'MSASL100 P-I top-5': [82.03, None, None, None, None, None, None, None, None],
    'MSASL200 P-I': [52.91, None, 82.93, 88.82, 71.16, 65.12, 74.54, 79.76, None],
    'MSASL200 P-C': [54.20, 81.97, 83.43, None, 71.81, 65.04, 74.94, 80.57, None],
    'MSASL200 P-I top-5': [76.67, None, None, None, None, None, None, None, None],
    'MSASL1000 P-I': [36.03, None, 65.22, 74.78, 48.30, 39.09, 51.49, 59.06, None],
    'MSASL1000 P-C': [32.32, 57.69, 62.68, None, 43.96, 35.07, 47.41, 56.42, None],
    'MSASL1000 P-I top-5': [59.92, None, None, None, None, None, None, None, None],
}
