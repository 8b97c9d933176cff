title = 'SignBERT Table 2: sequences, half of the tokens chosen, PCK@20 and AUC of 20 to 40 px in %'
also = ('2',)
corner = 'mask'
columns = [
    dict(
        base='sequence',
        metrics={
            'input P@20': 'input/pck20',
            'input AUC': 'input/auc',
            'output P@20': 'output/pck20',
            'output AUC': 'output/auc',
        },
    )
]
rows = [
    dict(
        name='joint',
        steps=[dict(base='sequence', by_type=dict(MaskHandTokens=dict(operations=('joint', 'identity'))))],
    ),
    dict(
        name='frame',
        steps=[dict(base='sequence', by_type=dict(MaskHandTokens=dict(operations=('frame', 'identity'))))],
    ),
    dict(
        name='joint + frame',
        steps=[
            dict(
                base='sequence', by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity')))
            )
        ],
    ),
]
paper = {
    'input P@20': [86.38, 80.85, 81.43],
    'input AUC': [89.02, 80.85, 82.32],
    'output P@20': [95.13, 95.33, 95.14],
    'output AUC': [95.49, 95.57, 95.48],
}
note = 'The paper: HANDS17. Each mask is scored on tokens masked in its own way.'
