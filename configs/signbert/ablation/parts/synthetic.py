# What the small settings of both methods share: the synthetic clips, and P and R on them.
_signs = dict(num_glosses=100, num_signers=20, clips_per_gloss=100, seed=0, layout='sign_49', truth=False)
_store, _videos = 'data/synthetic_tables', 'data/synthetic_tables_videos'
# R reads drawings of the poses; run_table.py makes those that its trainings and tests need.
_drawn = {_videos: dict(size=48)}
_few_shot = {'train_dataloader.dataset.few_shot.seed': '$seed'}
# 'normal': glosses that share all parts but one with no other gloss of the vocabulary.
_normal = {30: [9, 20, 25, 27], 100: [43, 52, 62, 71, 76, 84, 90, 95]}
_measures = {
    glosses: {
        'test_evaluator.topk': (1, 2, 5),
        'test_evaluator.subsets': dict(
            confusing=[gloss for gloss in range(glosses) if gloss not in normal], normal=normal
        ),
    }
    for glosses, normal in _normal.items()
}
_thirty = {
    f'{loader}.dataset.{key}': value
    for loader in ('train_dataloader', 'test_dataloader')
    for key, value in (('classes', [f'gloss_{number:03d}' for number in range(30)]), ('relabel', True))
}
# ST-GCN on the first 30 glosses; the config has all 100
_skeleton30 = {
    **_thirty,
    'model.model.cls_head.num_classes': 30,
    'train_dataloader.batch_size': 30,
    'train_cfg.max_epochs': 25,
    'param_scheduler.1.T_max': 25,
    'default_hooks.checkpoint.interval': 25,
}
_small = 'configs/signbert/ablation/small'
_networks = ('r3d', 'i3d', 'tsm', 'slowfast')
_note = (
    ' P and R are narrow; R sees 8 frames of 48 px, the poses drawn, on 30 glosses alone. The signs have no '
    'face and no feet: of the 133 keypoints only 49 are there. Confusing: glosses that share all parts but '
    'one with another.'
)
