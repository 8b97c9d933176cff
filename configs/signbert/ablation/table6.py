title = 'SignBERT Table 6: layers of the Transformer, and recognition, top-1 in %'
also = ('6',)
corner = 'N'
order = True
against = '3'
columns = [dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]
rows = [
    dict(
        name=str(layers),
        steps=[
            dict(base=base, options={'model.backbone.num_layers': layers})
            for base in ('pretrain', 'finetune')
        ],
    )
    for layers in (2, 3, 4, 5)
]
paper = {
    'MSASL100 P-I': [74.11, 76.09, 75.69, 74.90],
    'MSASL100 P-C': [74.61, 76.65, 75.51, 75.68],
    'MSASL200 P-I': [67.70, 70.64, 70.20, 68.14],
    'MSASL200 P-C': [67.92, 70.92, 70.66, 68.40],
    'MSASL1000 P-I': [48.23, 49.54, 47.36, 47.29],
    'MSASL1000 P-C': [45.17, 46.39, 44.04, 44.42],
}
