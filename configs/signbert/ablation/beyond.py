title = 'Beyond the paper: parts and augmentations that are not in it, in %'
on = 'wlasl_hands'
corner = 'method'
against = 'the paper, pre-trained'
columns = [
    dict(
        base=['finetune', 'beyond'],
        metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1', 'P-I top-5': 'p_i/top5', 'P-C top-5': 'p_c/top5'},
    )
]


def _steps(*bases):
    return [dict(base=base) for base in bases]


rows = [
    dict(name='the paper, from scratch', steps=_steps('finetune')),
    dict(name='the paper, pre-trained', steps=_steps('pretrain', 'finetune')),
    dict(name='beyond, from scratch', steps=_steps('beyond')),
    dict(name='beyond, pre-trained', steps=_steps('pretrain', 'beyond')),
    dict(name='beyond, all glosses first', steps=_steps('pretrain', 'all_glosses', 'beyond')),
]
note = (
    'beyond: motion of the hands, a convolution over time before attention, mirrored clips, random crops and '
    'rests in time. all glosses first: the pre-trained encoder is trained on the labelled clips of all 2,000 '
    'glosses, then on those of the column.'
)
