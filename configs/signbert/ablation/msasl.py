title = 'SignBERT on MS-ASL, top-1 in %'
also = ('table8', '8')
on = 'msasl'
corner = 'method'
columns = [dict(base=['finetune', 'skeleton', 'rgb'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]
rows = [
    dict(name='ST-GCN', steps=[dict(base='skeleton')]),
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + P', fuse=['H', 'ST-GCN']),
    dict(name='H + R', fuse=['H', [dict(base='rgb')]]),
]
paper = {
    'MSASL100 P-I': [59.84, 76.09, 81.37, 89.56],
    'MSASL100 P-C': [None, 76.65, None, None],
    'MSASL200 P-I': [52.91, 70.64, 77.34, 86.98],
    'MSASL200 P-C': [None, 70.92, None, None],
    'MSASL1000 P-I': [36.03, 49.54, 59.80, 71.24],
    'MSASL1000 P-C': [None, 46.39, None, None],
}
note = 'H: hands only; P: ST-GCN; R: RGB (configs/fusion).'
