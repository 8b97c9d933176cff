title = 'SignBERT on NMFs-CSL, top-1 in %'
also = ('table3', '3')
on = 'nmfs_csl'
corner = 'method'
columns = [
    dict(
        base=['finetune', 'skeleton', 'rgb'],
        metrics={'total': 'p_i/top1', 'confusing': 'p_i/confusing/top1', 'normal': 'p_i/normal/top1'},
    )
]
rows = [
    dict(name='ST-GCN', steps=[dict(base='skeleton')]),
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + P', fuse=['H', 'ST-GCN']),
    dict(name='H + R', fuse=['H', [dict(base='rgb')]]),
]
paper = {
    'NMFs-CSL total': [59.9, 67.0, 74.9, 78.4],
    'NMFs-CSL confusing': [42.2, 46.4, 58.6, 64.3],
    'NMFs-CSL normal': [83.4, 94.5, 96.7, 97.4],
}
note = 'H: hands only; P: ST-GCN; R: RGB (configs/fusion).'
