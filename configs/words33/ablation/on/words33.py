# The words33 protocol: k labelled clips a gloss of the pool, the test clips seen once by each model.
title = 'words33'
# passes over the labelled clips: 500 steps of one clip a gloss, 1,020 on the whole pool
_passes = {'1-shot': 500, '2-shot': 250, '5-shot': 100, '10-shot': 50, 'whole pool': 12}
_neighbours = {'1-shot': 1, '2-shot': 2, '5-shot': 5, '10-shot': 5, 'whole pool': 5}


def _few_shot(pool):
    return None if pool == 'whole pool' else dict(shots=int(pool.split('-')[0]), seed='$seed')


def _recogniser(config, **options):
    return dict(
        config=config,
        options={
            'param_scheduler.1.T_max': '$train_cfg.max_epochs',
            'default_hooks.checkpoint.interval': '$train_cfg.max_epochs',
            **options,
        },
        variants={
            pool: dict(
                options={
                    'train_dataloader.dataset.few_shot': _few_shot(pool),
                    'train_cfg.max_epochs': passes,
                }
            )
            for pool, passes in _passes.items()
        },
    )


def _knn(pretrain, **clips):
    loader = dict(
        batch_size=64,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='collate_poses'),
    )
    clips = dict(type='PoseDataset', store='data/words33', **clips)
    return dict(
        pretrain,
        options={
            'test_dataloader': dict(loader, dataset=dict(clips, split='test', test_mode=True)),
            'test_evaluator': dict(type='SignAccuracy', topk=(1, 5), exclude=['-']),
            'test_cfg': dict(
                _delete_=True,
                type='KNNTestLoop',
                gallery=dict(loader, dataset=dict(clips, split=['train', 'val'])),
            ),
        },
        variants={
            pool: dict(
                options={'test_cfg.gallery.dataset.few_shot': _few_shot(pool), 'test_cfg.k': neighbours}
            )
            for pool, neighbours in _neighbours.items()
        },
    )


_pretrain = dict(seed=0, config='configs/words33/signbert_d128_pretrain.py')
_st_pretrain = dict(seed=0, config='configs/st_consistency/st_consistency_d64_b32_pretrain-words33.py')
_finetune = 'configs/words33/signbert_d128_finetune.py'
_st_finetune = 'configs/words33/st_consistency_d64_finetune.py'
_ten = [dict(type='UniformTemporalSample', clip_len=10, test_mode=True)]
_all = [dict(type='UniformTemporalSample', clip_len=24, test_mode=True, repeat=False)]
bases = dict(
    pretrain=_pretrain,
    finetune=_recogniser(_finetune),
    linear=_recogniser(_finetune, **{'model.frozen': ('embedder', 'backbone')}),
    knn=_knn(_pretrain, layout='hands_42', pipeline=_ten),
    st_pretrain=_st_pretrain,
    st_finetune=_recogniser(_st_finetune),
    st_linear=_recogniser(_st_finetune, **{'model.frozen': True}),
    st_knn=_knn(_st_pretrain, layout='sign_49', pipeline=_all),
    stgcn=_recogniser('configs/words33/stgcn_c16_bone.py'),
    logreg=dict(_recogniser(_finetune), fit=dict(c=0.1, exclude=['-'])),
)
