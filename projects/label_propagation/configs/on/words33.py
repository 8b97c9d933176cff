# The words33 protocol, and the clips of its pool without their labels.
_base_ = '../../../../configs/words33/ablation/on/words33.py'
custom_imports = dict(imports=['projects.label_propagation.label_propagation'])
_shots = (1, 2, 5, 10)
_pool = dict(
    type='PoseDataset',
    store='data/words33',
    layout='hands_42',
    split=['train', 'val'],
    pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)],
)
bases = dict(
    semi=dict(
        config='projects/label_propagation/configs/signbert_d128_semi.py',
        variants={
            f'{shots}-shot': dict(
                options={'train_dataloader.dataset.labelled.few_shot': dict(shots=shots, seed='$seed')}
            )
            for shots in _shots
        },
    ),
    # the test of the protocol's kNN row over a gallery that the labelled clips label
    propagate=dict(
        _base_.bases.knn,
        variants={
            f'{shots}-shot': dict(
                options={
                    'test_cfg.type': 'PropagationTestLoop',
                    'test_cfg.labelled': dict(_pool, few_shot=dict(shots=shots, seed='$seed')),
                }
            )
            for shots in _shots
        },
    ),
)
