_base_ = ['parts/protocols.py']
title = 'ST-Consistency on WLASL, top-1 in %'
also = ('II',)
on = 'wlasl'
paper = {
    'WLASL100 P-I': [86.43, 88.37, 72.09, 49.61, 72.48, 82.17, None],
    'WLASL100 P-C': [87.13, None, None, None, None, None, None],
    'WLASL300 P-I': [77.84, 82.19, 59.58, None, None, None, None],
    'WLASL300 P-C': [78.42, None, None, None, None, None, None],
    'WLASL2000 P-I': [51.98, 58.06, 32.35, None, None, None, None],
    'WLASL2000 P-C': [49.46, None, None, None, None, None, None],
}
