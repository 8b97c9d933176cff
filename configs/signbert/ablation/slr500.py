title = 'SignBERT on SLR500, top-1 in %'
also = ('table10', '10')
on = 'slr500'
corner = 'method'
columns = [dict(base='finetune', metrics={'P-I': 'p_i/top1'})]
rows = [
    dict(name='ST-GCN'),
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + P'),
    dict(name='H + R'),
]
paper = {'SLR500 P-I': [90.0, 94.5, 96.6, 97.6]}
note = 'H: hands only. That this is Table 10 of the paper is an assumption: the numbers of its comparison tables were not at hand.'
