title = 'SignBERT Figure 3: ground truth, masked input, reconstruction and hand mesh over time'
also = ('figure3', 'signbert_figure3')
corner = 'mask'
columns = [
    dict(base='pretrain', metrics={'input P@20': 'input/pck20', 'output P@20': 'output/pck20'}),
]
rows = [
    dict(
        name='joint + frame',
        steps=[
            dict(
                base='pretrain', by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity')))
            )
        ],
    )
]
figure = dict(kind='reconstruction', clips=4)
note = 'The pre-training of Table 4. Clips of the test data, masked by its pipeline.'
