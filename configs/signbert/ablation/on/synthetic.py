# The small setting: narrow model, synthetic signs; the signers of val and test are not in train.
_base_ = ['../parts/synthetic.py']
title = 'synthetic signs, small setting (d = 128)'
note = (
    'Recognition (pre-training too): detected poses, five labelled clips a gloss. Tables 1 and 2: exact '
    'poses, as STB and HANDS17 are annotated. '
    'Tested on signers that are not in training.' + _base_._note
)
# detected poses for recognition, exact ones for reconstruction, as STB and HANDS17 are annotated
make = {
    _base_._store: dict(_base_._signs, detector=0.5),
    'data/synthetic_poses': dict(_base_._signs, detector=0.0),
}
videos = _base_._drawn
_skeleton = dict(
    options=_base_._few_shot,
    variants=dict(
        Synthetic30=dict(options=dict(_base_._skeleton30, **_base_._measures[30])),
        Synthetic100=dict(options=_base_._measures[100]),
    ),
)
bases = dict(
    pretrain=dict(config='configs/signbert/ablation/small/pretrain.py'),
    sequence=dict(config='configs/signbert/ablation/small/sequence.py'),
    single_frame=dict(config='configs/signbert/ablation/small/single_frame.py'),
    finetune=dict(
        variants=dict(
            Synthetic30=dict(
                config='configs/signbert/ablation/small/synthetic30.py', options=_base_._measures[30]
            ),
            Synthetic100=dict(
                config='configs/signbert/ablation/small/synthetic100.py', options=_base_._measures[100]
            ),
        ),
        options=_base_._few_shot,
    ),
    skeleton=dict(_skeleton, config=f'{_base_._small}/stgcn.py'),
    skeleton133=dict(_skeleton, config=f'{_base_._small}/stgcn133.py'),
    **{
        network: dict(
            start='',
            config=f'{_base_._small}/{network}.py',
            options=_base_._few_shot,
            variants=dict(Synthetic30=dict(options=_base_._measures[30])),
        )
        for network in _base_._networks
    },
)
