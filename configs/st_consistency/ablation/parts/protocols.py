# The rows of Tables I to IV: every protocol on one data set.
corner = 'protocol'
columns = [
    dict(
        base=['pretrain', 'finetune', 'linear', 'semi', 'rgb'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'}
    )
]


def _share(ratio):
    return [
        dict(base='pretrain'),
        dict(base='semi', options={'train_dataloader.dataset.data_ratio.ratio': ratio}),
    ]


rows = [
    dict(name='fine-tuned', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='fine-tuned + R', fuse=['fine-tuned', [dict(base='rgb')]]),
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    dict(name='semi-supervised, 20 %', steps=_share(0.2)),
    dict(name='semi-supervised, 40 %', steps=_share(0.4)),
    dict(name='semi-supervised, 60 %', steps=_share(0.6)),
    dict(name='kNN', steps=[dict(base='pretrain')]),
]
note = '+ R: scores summed with an RGB model (configs/fusion). The shares of 20, 40 and 60 % are assumed.'
