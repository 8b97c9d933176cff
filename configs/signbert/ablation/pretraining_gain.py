title = 'What pre-training adds to SignBERT: the same recogniser with and without it, in %'
on = 'wlasl_hands'
corner = 'method'
against = 'from scratch'
columns = [
    dict(
        base=['finetune', 'linear', 'knn'],
        metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1', 'P-I top-5': 'p_i/top5', 'P-C top-5': 'p_c/top5'},
    )
]
rows = [
    dict(name='from scratch', steps=[dict(base='finetune')]),
    dict(name='kNN', steps=[dict(base='knn')]),
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    dict(name='pre-trained', steps=[dict(base='pretrain'), dict(base='finetune')]),
]
# the paper: MSASL and WLASL, all official clips; Table 4 for MSASL, Table 9 for WLASL
paper = {
    'MSASL100 P-I': [63.01, None, None, 76.09],
    'MSASL200 P-I': [57.69, None, None, 70.64],
    'MSASL1000 P-I': [41.85, None, None, 49.54],
    'WLASL100 P-I': [None, None, None, 76.36],
    'WLASL300 P-I': [None, None, None, 62.72],
    'WLASL2000 P-I': [None, None, None, 39.40],
}
note = (
    'kNN: 20 neighbours among the labelled clips in the features of the pre-trained encoder, nothing is '
    'trained. '
    'linear: the pre-trained encoder stays as it is, and the prediction head is trained.'
)
