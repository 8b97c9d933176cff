title = 'SignBERT Table 5: the decoder of pre-training, and recognition, top-1 in %'
also = ('5',)
corner = 'decoder'
order = True
against = 'hand model'
columns = [dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]


def _fc(layers):
    # takes the place of the hand model's decoder; its width is that of the backbone in every setting
    changes = {
        'model.decoder': dict(
            _delete_=True, type='FCDecoder', in_channels='$model.backbone.embed_dims', num_layers=layers
        ),
        'model.loss_reg': None,
    }
    return [dict(base='pretrain', options=changes), dict(base='finetune')]


rows = [
    dict(name='1-fc', steps=_fc(1)),
    dict(name='2-fc', steps=_fc(2)),
    dict(name='hand model', steps=[dict(base='pretrain'), dict(base='finetune')]),
]
paper = {
    'MSASL100 P-I': [73.05, 74.24, 76.09],
    'MSASL100 P-C': [72.62, 74.21, 76.65],
    'MSASL200 P-I': [67.55, 68.29, 70.64],
    'MSASL200 P-C': [68.21, 69.12, 70.92],
    'MSASL1000 P-I': [47.94, 48.03, 49.54],
    'MSASL1000 P-C': [45.07, 45.25, 46.39],
}
note = 'The hand model is the free stand-in where the config names no other.'
