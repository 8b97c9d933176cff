title = 'ST-Consistency on MSASL, top-1 in %'
also = ('I',)
on = 'msasl'
corner = 'protocol'
columns = [dict(base=['pretrain', 'finetune', 'linear', 'semi'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]


def _share(ratio):
    return [dict(base='pretrain'), dict(base='semi', options={'train_dataloader.dataset.data_ratio.ratio': ratio})]


rows = [
    dict(name='fine-tuned', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='fine-tuned + R'),
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    dict(name='semi-supervised, 20 %', steps=_share(0.2)),
    dict(name='semi-supervised, 40 %', steps=_share(0.4)),
    dict(name='semi-supervised, 60 %', steps=_share(0.6)),
    dict(name='kNN', steps=[dict(base='pretrain')]),
]
paper = {
    'MSASL100 P-I': [86.26, 90.76, 77.15, 71.07, 80.85, 82.56, None],
    'MSASL100 P-C': [86.63, None, None, None, None, None, None],
    'MSASL200 P-I': [82.93, 88.82, 71.16, None, None, None, None],
    'MSASL200 P-C': [83.43, None, None, None, None, None, None],
    'MSASL1000 P-I': [65.22, 74.78, 48.3, None, None, None, None],
    'MSASL1000 P-C': [62.68, None, None, None, None, None, None],
}
note = (
    '+ R: scores summed with an RGB model (configs/fusion). The shares of 20, 40 and 60 % are assumed, and so is that this is Table I of the paper.'
)
