title = 'SignBERT on WLASL, top-1 in %'
also = ('table9', '9')
on = 'wlasl'
corner = 'method'
columns = [dict(base=['finetune', 'skeleton', 'rgb'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]
rows = [
    dict(name='ST-GCN', steps=[dict(base='skeleton')]),
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + P', fuse=['H', 'ST-GCN']),
    dict(name='H + R', fuse=['H', [dict(base='rgb')]]),
]
paper = {
    'WLASL100 P-I': [50.78, 76.36, 79.07, 82.56],
    'WLASL100 P-C': [51.62, 77.68, 80.05, 83.30],
    'WLASL300 P-I': [44.46, 62.72, 70.36, 74.40],
    'WLASL300 P-C': [45.29, 63.43, 71.17, 75.27],
    'WLASL2000 P-I': [34.40, 39.40, 47.46, 54.69],
    'WLASL2000 P-C': [32.53, 36.74, 45.17, 52.08],
}
note = 'H: hands only; P: ST-GCN; R: RGB (configs/fusion).'
