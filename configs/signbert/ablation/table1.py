title = (
    'SignBERT Table 1: single frames of one hand, every token chosen, masked joint modelling, PCK@20 '
    'and '
    'AUC of 20 to 40 px in %'
)
also = ('1',)
on = 'synthetic'
corner = 'M'
columns = [
    dict(
        base='single_frame',
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
        name=str(joints),
        steps=[dict(base='single_frame', by_type=dict(MaskHandTokens=dict(max_joints=joints)))],
    )
    for joints in (3, 5, 7, 9, 11)
]
paper = {
    'input P@20': [88.81, 82.26, 76.19, 70.85, 66.29],
    'input AUC': [91.02, 85.65, 80.91, 76.63, 72.85],
    'output P@20': [99.90, 99.89, 99.85, 99.81, 99.79],
    'output AUC': [99.54, 99.53, 99.53, 99.50, 99.44],
}
note = 'The paper: STB.'
