_base_ = 'pretraining_gain.py'
title = 'What pre-training adds to SignBERT when whole frames are masked and no joints, in %'
_frames = dict(MaskHandTokens=dict(operations=('frame', 'identity')))
_pretrain = dict(base='pretrain', by_type=_frames)
rows = [
    dict(name='from scratch', steps=[dict(base='finetune')]),
    dict(name='kNN', steps=[dict(base='knn', by_type=_frames)]),
    dict(name='linear', steps=[_pretrain, dict(base='linear')]),
    dict(name='pre-trained', steps=[_pretrain, dict(base='finetune')]),
]
# MSASL, all official clips; Table 4
paper = {
    '_delete_': True,
    'MSASL100 P-I': [63.01, None, None, 74.77],
    'MSASL200 P-I': [57.69, None, None, 68.65],
    'MSASL1000 P-I': [41.85, None, None, 49.02],
}
