title = (
    'ST-Consistency Table VIII: knowledge transfer between joint and motion, and recognition by one of '
    'them, top-1 in %'
)
also = ('VIII', 'st_table_viii')
corner = 'modality, transfer'
order = True
columns = [dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]


def _row(modality, transfer):
    pretrain = {} if transfer else {'model.loss_transfer': None}
    steps = [
        dict(base='pretrain', options=pretrain),
        dict(base='finetune', options={'model.modalities': (modality,)}),
    ]
    return dict(name=f'{modality}, {"with" if transfer else "without"}', steps=steps)


rows = [_row(modality, transfer) for modality in ('joint', 'motion') for transfer in (False, True)]
paper = {
    'MSASL100 P-I': [81.79, 83.75, 79.74, 81.51],
    'MSASL200 P-I': [76.64, 80.57, 73.83, 75.86],
    'MSASL1000 P-I': [59.22, 61.07, 56.63, 58.58],
}
note = (
    'Without transfer no objective links the two modalities, so that one pre-training of both stands for '
    'one of each. Either modality has the weight 0.5 of eq. 8 in all rows.'
)
