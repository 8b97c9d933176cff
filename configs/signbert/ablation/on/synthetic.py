# The small setting: narrow model, synthetic signs; the signers of val and test are not in train.
title = 'synthetic signs, small setting (d = 128)'
note = (
    'Recognition (pre-training too): detected poses, five labelled clips a gloss. Tables 1 and 2: exact '
    'poses, as STB and HANDS17 are annotated. '
    'Tested on signers that are not in training.'
)
# detected poses for recognition, exact ones for reconstruction, as STB and HANDS17 are annotated
_signs = dict(num_glosses=100, num_signers=20, clips_per_gloss=100, seed=0, layout='sign_49', truth=False)
make = {
    'data/synthetic_tables': dict(_signs, detector=0.5),
    'data/synthetic_poses': dict(_signs, detector=0.0),
}
bases = dict(
    pretrain=dict(config='configs/signbert/ablation/small/pretrain.py'),
    sequence=dict(config='configs/signbert/ablation/small/sequence.py'),
    single_frame=dict(config='configs/signbert/ablation/small/single_frame.py'),
    finetune=dict(
        variants=dict(
            Synthetic30=dict(config='configs/signbert/ablation/small/synthetic30.py'),
            Synthetic100=dict(config='configs/signbert/ablation/small/synthetic100.py'),
        ),
        options={'train_dataloader.dataset.few_shot.seed': '$seed'},
    ),
)
