# The comparisons with other methods, Tables 3, 8, 9 and 10: rows, and the columns of Tables 8 and 9.
corner = 'method'
columns = [
    dict(
        base=['finetune', 'skeleton', 'skeleton133', 'rgb'],
        metrics={
            'P-I': 'p_i/top1',
            'P-C': 'p_c/top1',
            'P-I top-5': 'p_i/top5',
            'P-C top-5': 'p_c/top5',
        },
    )
]
_skeletons = [
    dict(name='ST-GCN', steps=[dict(base='skeleton')]),
    dict(name='ST-GCN, 133 keypoints', steps=[dict(base='skeleton133')]),
]
_hands = [
    dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='H + P', fuse=['H', 'ST-GCN']),
    dict(name='H + P, 133 keypoints', fuse=['H', 'ST-GCN, 133 keypoints']),
]
_i3d = dict(name='I3D', steps=[dict(base='rgb')])
_r3d = dict(name='3D-R50', steps=[dict(base='rgb')])
_rows_i3d = [*_skeletons, _i3d, *_hands, dict(name='H + R', fuse=['H', 'I3D'])]
_rows_r3d = [*_skeletons, _r3d, *_hands, dict(name='H + R', fuse=['H', '3D-R50'])]
note = (
    'H: hands only; P: ST-GCN over 49 joints (two hands and the trunk), or over all 133 keypoints; R: the '
    'RGB network (configs/fusion). The paper says "full keypoints" of P, not how many: its figures of ST-GCN '
    'and H + P stand beside both.'
)
