_base_ = ['parts/protocols.py']
title = 'ST-Consistency on MSASL, top-1 in %'
also = ('I',)
on = 'msasl'
paper = {
    'MSASL100 P-I': [86.26, 90.76, 77.15, 71.07, 80.85, 82.56, None],
    'MSASL100 P-C': [86.63, None, None, None, None, None, None],
    'MSASL200 P-I': [82.93, 88.82, 71.16, None, None, None, None],
    'MSASL200 P-C': [83.43, None, None, None, None, None, None],
    'MSASL1000 P-I': [65.22, 74.78, 48.3, None, None, None, None],
    'MSASL1000 P-C': [62.68, None, None, None, None, None, None],
}
