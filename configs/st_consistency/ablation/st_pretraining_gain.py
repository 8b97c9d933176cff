title = 'What pre-training adds to ST-Consistency: the same recogniser with and without it, in %'
on = 'wlasl_hands'
corner = 'method'
against = 'from scratch'
columns = [
    dict(
        base=['finetune', 'linear', 'pretrain'],
        metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1', 'P-I top-5': 'p_i/top5', 'P-C top-5': 'p_c/top5'},
    )
]
rows = [
    dict(name='from scratch', steps=[dict(base='finetune')]),
    dict(name='kNN', steps=[dict(base='pretrain')]),
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    dict(name='pre-trained', steps=[dict(base='pretrain'), dict(base='finetune')]),
]
# the paper: WLASL, all official clips, hands and trunk
paper = {
    'WLASL100 P-I': [None, None, 72.09, 86.43],
    'WLASL300 P-I': [None, None, 59.58, 77.84],
    'WLASL2000 P-I': [None, None, 32.35, 51.98],
}
note = (
    'kNN: 20 neighbours among the labelled clips in the features of the pre-trained encoder, nothing is '
    'trained. linear: the pre-trained encoder stays as it is, and the prediction head is trained.'
)
