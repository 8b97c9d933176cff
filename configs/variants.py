"""Names of configs that are another config with a few values changed, so that they need no file.

A name stands wherever the path of a config does: ``tools/train.py configs/fusion/NAME.py``,
``get_model(NAME)``, a base of a table. ``variants`` has path -> (path of the config, its changed values as
``--cfg-options``).
"""

variants = {}
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_EVALUATOR = dict(topk=(1, 2, 5), subsets=dict(confusing=range(610), normal=range(610, 1067)))


def _in(places, **values):
    return {f'{place}.{key}': value for place in places for key, value in values.items()}


# other vocabularies of one data set
def _vocabulary(name, root, classes):
    store = f'data/{name}{classes}'
    command = f'python tools/dataset_converters/{name}_to_store.py {root} {store} --subset {classes}'
    videos = f' --videos {"WLASL/start_kit" if name == "wlasl" else "MS-ASL"}/videos --extractor mediapipe'
    places = [f'{loader}.dataset' for loader in _LOADERS]
    return {**_in(places, store=store, prepare=command + videos), 'model.head.num_classes': classes}


for _name, _root, _full, _others in (
    ('wlasl', 'WLASL', 2000, (100, 300, 1000)),
    ('msasl', 'MS-ASL', 1000, (100, 200, 500)),
):
    for _classes in _others:
        variants[f'signbert/signbert_d512-n3_b64-60e_{_name}{_classes}'] = (
            f'signbert/signbert_d512-n3_b64-60e_{_name}{_full}',
            _vocabulary(_name, _root, _classes),
        )
for _classes, _epochs in ((100, 100), (2000, 40)):
    _command = f'python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands{_classes}'
    _command += ' --protocol recorded' + (' --subset in100' if _classes == 100 else '')
    variants[f'wlasl_hands/signbert_d128_wlasl{_classes}'] = (
        'wlasl_hands/signbert_d128_wlasl300',
        {
            **_in(
                ('train_dataloader.dataset', 'test_dataloader.dataset'),
                store=f'data/wlasl_hands{_classes}',
                prepare=_command,
            ),
            'model.head.num_classes': _classes,
            'train_cfg.max_epochs': _epochs,
            'param_scheduler.1.T_max': _epochs,
        },
    )

# the other protocols of ST-Consistency: frozen encoders (0.01, then 0.001), and a share of the labels
for _data in ('msasl1000', 'nmfs_csl', 'slr500', 'wlasl2000'):
    _whole = f'st_consistency/st_consistency_d512_b64-60e_{_data}'
    variants[f'st_consistency/st_consistency_d512_b64-linear-70e_{_data}'] = (
        _whole,
        {
            'model.frozen': True,
            'param_scheduler': [dict(type='MultiStepLR', by_epoch=True, milestones=[50], gamma=0.1)],
            'train_cfg.max_epochs': 70,
        },
    )
    # 40 and 60 % by data_ratio.ratio; the shares are assumed
    variants[f'st_consistency/st_consistency_d512_b64-semi-60e_{_data}'] = (
        _whole,
        {'train_dataloader.dataset.data_ratio': dict(ratio=0.2, seed=0)},
    )
for _linear, _whole, _frozen in (
    (
        'st_consistency/st_consistency_d64_b64-linear_synthetic',
        'st_consistency/st_consistency_d64_b64_synthetic',
        True,
    ),
    ('words33/st_consistency_d64_linear', 'words33/st_consistency_d64_finetune', True),
    ('words33/signbert_d128_linear', 'words33/signbert_d128_finetune', ('embedder', 'backbone')),
):
    variants[_linear] = _whole, {'model.frozen': _frozen}

# P: other streams of one skeleton, other skeletons, ST-GCN++ (learnt adjacency, residual graph branches,
# multi-scale time)
_pipelines = [f'model.data_preprocessor.{part}_pipeline.0' for part in ('train', 'test')]
for _data in ('msasl1000', 'nmfs_csl', 'slr500', 'synthetic', 'wlasl2000'):
    for _stream in ('bone', 'joint-motion', 'bone-motion'):
        variants[f'fusion/stgcn_sign49-{_stream}_b64-80e_{_data}'] = (
            f'fusion/stgcn_sign49-joint_b64-80e_{_data}',
            _in(_pipelines, stream=_stream.replace('-', '_')),
        )
for _short, _layout in (('samslr27', 'sam_slr_27'), ('wholebody133', 'coco_wholebody_133')):
    for _data in ('msasl1000', 'nmfs_csl', 'slr500', 'wlasl2000'):
        # NMFs-CSL and SLR500 have no validation split
        _loaders = _LOADERS if _data.endswith('000') else _LOADERS[::2]
        variants[f'fusion/stgcn_{_short}-joint_b64-80e_{_data}'] = (
            f'fusion/stgcn_sign49-joint_b64-80e_{_data}',
            _in([*_pipelines, 'model', *(f'{loader}.dataset' for loader in _loaders)], layout=_layout),
        )
variants['fusion/stgcnpp_sign49-joint_b64-80e_wlasl2000'] = (
    'fusion/stgcn_sign49-joint_b64-80e_wlasl2000',
    {
        'model.model.backbone.gcn_adaptive': 'init',
        'model.model.backbone.gcn_with_res': True,
        'model.model.backbone.tcn_type': 'mstcn',
        'model.model.backbone.graph_cfg.mode': 'spatial',
    },
)


# R: the videos of other data sets; NMFs-CSL and SLR500 have no validation split
def _videos(data, classes):
    validated = data.startswith(('wlasl', 'msasl'))
    loaders = [f'{loader}.dataset' for loader in _LOADERS if validated or loader[:3] != 'val']
    options = {
        **_in(loaders, store=f'data/{data}', videos=f'data/{data}_videos'),
        'model.model.cls_head.num_classes': classes,
    }
    if not validated:
        options.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    if data == 'nmfs_csl':
        options.update({f'test_evaluator.{key}': value for key, value in _EVALUATOR.items()})
    return options


for _data, _classes in (('msasl1000', 1000), ('nmfs_csl', 1067), ('slr500', 500)):
    for _network in ('slowfast-r50_32x2', 'tsm-r50_8seg'):
        variants[f'fusion/{_network}-b8-50e_{_data}'] = (
            f'fusion/{_network}-b8-50e_wlasl2000',
            _videos(_data, _classes),
        )
    for _part, _network in (
        ('p', 'stgcn_sign49-joint_b64-80e'),
        ('r', 'i3d-r50_32x2-b8-50e' if _data == 'msasl1000' else 'r3d-r50_32x2-b8-50e'),
    ):
        variants[f'fusion/fusion_h-{_part}_{_data}'] = (
            f'fusion/fusion_h-{_part}_wlasl2000',
            {
                'model.parts.0.config': f'signbert_d512-n3_b64-60e_{_data}',
                'model.parts.1.config': f'{_network}_{_data}',
            },
        )
for _part, _network in (
    ('p', 'stgcn-c24_sign49-joint_b64-100e_synthetic-demo'),
    ('r', 'r3d-r18_8x4-64px-b16-50e_synthetic-demo'),
):
    variants[f'fusion/fusion_h-{_part}_synthetic-demo'] = (
        f'fusion/fusion_h-{_part}_wlasl2000',
        {'model.parts.0.config': 'signbert_d128_finetune_synthetic', 'model.parts.1.config': _network},
    )
variants['fusion/i3d-r50_32x2-b8-50e_msasl1000'] = (
    'fusion/i3d-r50_32x2-b8-50e_wlasl2000',
    _videos('msasl1000', 1000),
)
variants['fusion/i3d-r50_32x2-b8-50e_nmfs_csl'] = (
    'fusion/i3d-r50_32x2-b8-50e_wlasl2000',
    _videos('nmfs_csl', 1067),
)
variants['fusion/r3d-r50_32x2-b8-50e_nmfs_csl'] = (
    'fusion/r3d-r50_32x2-b8-50e_slr500',
    _videos('nmfs_csl', 1067),
)


# the small settings of the tables
def _cosine(epochs, warm_up):
    return {
        'train_cfg.max_epochs': epochs,
        'param_scheduler.0.end': warm_up,
        'param_scheduler.1.T_max': epochs,
    }


_small = 'st_consistency/ablation/small'
variants[f'{_small}/linear'] = f'{_small}/finetune', {'model.frozen': True}
variants[f'{_small}/semi'] = (
    f'{_small}/finetune',
    {
        'train_dataloader.dataset.few_shot': None,
        'train_dataloader.dataset.data_ratio': dict(ratio=0.2, seed=0),
        'default_hooks.checkpoint.interval': 15,
        **_cosine(15, 30),
    },
)
_small = 'signbert/ablation/small'
# the first 30 glosses
variants[f'{_small}/synthetic30'] = (
    f'{_small}/synthetic100',
    {
        **_in(
            ('train_dataloader.dataset', 'test_dataloader.dataset'),
            classes=[f'gloss_{number:03d}' for number in range(30)],
            relabel=True,
        ),
        'model.head.num_classes': 30,
        'train_dataloader.batch_size': 30,
        'default_hooks.checkpoint.interval': 50,
        **_cosine(50, 30),
    },
)
# P: ST-GCN, narrow, over 49 joints or all 133 keypoints
_clips = ('train_dataloader.dataset', 'test_dataloader.dataset')
for _name, _layout in (('stgcn', 'sign_49'), ('stgcn133', 'coco_wholebody_133')):
    variants[f'{_small}/{_name}'] = (
        'fusion/stgcn-c24_sign49-joint_b64-100e_synthetic-demo',
        {
            **_in(
                _clips,
                store='data/synthetic_tables',
                prepare='python tools/analysis_tools/run_table.py table9 --on synthetic',
            ),
            **_in(
                [
                    'model',
                    'model.data_preprocessor.train_pipeline.0',
                    'model.data_preprocessor.train_pipeline.2',
                    'model.data_preprocessor.test_pipeline.0',
                    *_clips,
                ],
                layout=_layout,
            ),
            'model.model.cls_head.num_classes': 100,
            'train_dataloader.batch_size': 50,
            'default_hooks.logger.interval': 10,
            'default_hooks.checkpoint.interval': 10,
            **_cosine(10, 30),
        },
    )
# 8 passes instead of 80, warm-up and cosine a tenth as long too: what 20 pre-trainings cost on one core set
# this, before any of them was tested
variants[f'{_small}/words33_pretrain'] = (
    'words33/signbert_d128_pretrain',
    {
        'default_hooks.logger.interval': 20,
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.checkpoint.max_keep_ckpts': 1,
        **_cosine(8, 20),
    },
)

# what is in no paper lies in projects/ now
_semi = '../projects/label_propagation/configs/signbert_d128_semi'
variants['words33/signbert_d128_semi'] = _semi, {}
variants['words33/signbert_d128_semi_rest'] = _semi, {'custom_hooks.0.background': '-'}
