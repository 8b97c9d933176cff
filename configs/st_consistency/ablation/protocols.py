_base_ = ['parts/protocols.py']
title = 'ST-Consistency Table V: frozen encoders, and shares of the labels, top-1 in %'
also = ('V', 'st_table_v')
columns = [dict(base=['linear', 'semi'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]
rows = _base_._shares
paper = {
    'MSASL100 P-I': [77.15, 71.07, 80.85, 82.56],
    'MSASL100 P-C': [76.99, 72.06, 80.83, 82.88],
    'MSASL200 P-I': [71.16, 65.12, 74.54, 79.76],
    'MSASL200 P-C': [71.81, 65.04, 74.94, 80.57],
    'MSASL1000 P-I': [48.30, 39.09, 51.49, 59.06],
    'MSASL1000 P-C': [43.96, 35.07, 47.41, 56.42],
    'WLASL100 P-I': [72.09, 49.61, 72.48, 82.17],
    'WLASL100 P-C': [73.27, 49.87, 73.97, 82.80],
    'WLASL300 P-I': [59.58, 41.02, 62.57, 70.66],
    'WLASL300 P-C': [60.05, 41.22, 63.09, 71.16],
    'WLASL2000 P-I': [32.35, 21.02, 36.52, 44.37],
    'WLASL2000 P-C': [32.49, 17.89, 32.49, 42.76],
    'NMFs-CSL P-I': [71.3, 66.3, 71.2, 73.6],
    'SLR500 P-I': [94.3, 95.2, 95.9, 96.3],
}
note = 'The shares of 20, 40 and 60 % are assumed.'
