title = 'SignBERT on SLR500, top-1 in %'
also = ('table10', '10')
on = 'slr500'
corner = 'method'
columns = [dict(base=['finetune', 'skeleton', 'rgb'], metrics={'P-I': 'p_i/top1'})]
rows = [
    dict(name='ST-GCN', steps=[dict(base='skeleton')]),
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + P', fuse=['H', 'ST-GCN']),
    dict(name='H + R', fuse=['H', [dict(base='rgb')]]),
]
paper = {'SLR500 P-I': [90.0, 94.5, 96.6, 97.6]}
note = 'H: hands only; P: ST-GCN; R: RGB (configs/fusion).'
