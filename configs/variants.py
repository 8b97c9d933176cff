"""Names of configs that are another config with a few values changed, so that they need no file.

A name stands wherever the path of a config does: ``tools/train.py configs/fusion/NAME.py``,
``get_model(NAME)``, a base of a table. ``variants`` has path -> (path of the config, its changed values as
``--cfg-options``). In place of the config there may be the parts that it would name in ``_base_``.
"""

variants = {}
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_EVALUATOR = dict(topk=(1, 2, 5), subsets=dict(confusing=range(610), normal=range(610, 1067)))
_GLOSSES = dict(
    asl_citizen=2731, autsl=226, msasl1000=1000, nmfs_csl=1067, slr500=500, synthetic=100, wlasl2000=2000
)
# these have no validation split
_UNVALIDATED = ('nmfs_csl', 'slr500')


def _in(places, **values):
    return {f'{place}.{key}': value for place in places for key, value in values.items()}


def _clips_of(data):
    """Where a data set's clips are named."""
    loaders = _LOADERS[::2] if data in _UNVALIDATED else _LOADERS
    return [f'{loader}.dataset' for loader in loaders]


def _parts(model, data, schedule, **options):
    """A model and its schedule on a data set."""
    parts = [f'models/{model}', f'datasets/{data}', f'schedules/{schedule}', 'default_runtime']
    if data in _UNVALIDATED:
        options['val_cfg'] = None
    return [f'_base_/{part}' for part in parts], options


def _changed(name, options):
    """A config, or a row of this table, with further values changed."""
    config, before = variants.get(name, (name, {}))
    return config, {**before, **options}


# the papers' networks on each data set; those on WLASL2000, or MS-ASL, are files
_clip = dict(type='UniformTemporalSample', clip_len=64)
_whole_clips = [dict(type='UniformTemporalSample', clip_len=150, test_mode=True, repeat=False)]
for _data, _classes in _GLOSSES.items():
    if _data != 'wlasl2000':
        variants[f'signbert/signbert_d512-n3_b64-60e_{_data}'] = _parts(
            'signbert_recognizer', _data, 'signbert_60e', **{'model.head.num_classes': _classes}
        )
    if _data in ('wlasl2000', 'nmfs_csl', 'slr500'):
        variants[f'st_consistency/st_consistency_d512_b64-60e_{_data}'] = _parts(
            'st_consistency_recognizer',
            _data,
            'st_consistency_60e',
            **_in(_clips_of(_data), pipeline=_whole_clips),
            **{'model.head.num_classes': _classes},
        )
    if _data in ('msasl1000', 'nmfs_csl', 'slr500', 'synthetic'):
        _train, *_tests = _clips_of(_data)
        variants[f'fusion/stgcn_sign49-joint_b64-80e_{_data}'] = _parts(
            'stgcn',
            _data,
            'stgcn_80e',
            **_in([_train, *_tests], layout='sign_49', drop_empty_frames=False),
            **_in([_train], pipeline=[_clip]),
            **_in(_tests, pipeline=[dict(_clip, test_mode=True)]),
            **{'model.model.cls_head.num_classes': _classes},
        )


# other vocabularies of one data set
def _vocabulary(name, root, classes):
    store = f'data/{name}{classes}'
    command = f'python tools/dataset_converters/{name}_to_store.py {root} {store} --subset {classes}'
    videos = f' --videos {"WLASL/start_kit" if name == "wlasl" else "MS-ASL"}/videos --extractor mediapipe'
    return {**_in(_clips_of(name), store=store, prepare=command + videos), 'model.head.num_classes': classes}


for _name, _root, _full, _others in (
    ('wlasl', 'WLASL', 2000, (100, 300, 1000)),
    ('msasl', 'MS-ASL', 1000, (100, 200, 500)),
):
    for _classes in _others:
        variants[f'signbert/signbert_d512-n3_b64-60e_{_name}{_classes}'] = _changed(
            f'signbert/signbert_d512-n3_b64-60e_{_name}{_full}', _vocabulary(_name, _root, _classes)
        )
# the best recipe of the narrow recogniser, with parts and augmentations that are not in the paper
variants['wlasl_hands/signbert_d128_wlasl300'] = (
    'wlasl_hands/signbert_d128_paper_wlasl300',
    {
        'model.embedder.motion': True,
        'model.backbone.conv_kernel': 5,
        'model.head.dropout': 0.3,
        'model.data_preprocessor.train_pipeline': [
            dict(type='RandomFlip', layout='hands_42'),
            dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08),
            dict(type='HandCrop', layout='hands_42'),
            dict(type='MirrorLeftHand'),
            dict(type='RandomJointJitter', sigma=0.02),
            dict(type='RandomHandDrop', prob=0.1),
            dict(type='ZeroMissing'),
        ],
        'train_dataloader.dataset.pipeline': [
            dict(type='RandomWindowSample', clip_len=16, crop=0.2, rest=0.5)
        ],
        'train_cfg.max_epochs': 80,
        'param_scheduler.1.T_max': 80,
        # another vocabulary's recogniser gives its encoder alone
        'default_hooks.load_report.new_head': True,
    },
)
for _kind, _classes, _epochs in (('paper_', 100, 100), ('paper_', 2000, 40), ('', 100, 160), ('', 2000, 110)):
    _command = f'python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands{_classes}'
    _command += ' --protocol recorded' + (' --subset in100' if _classes == 100 else '')
    variants[f'wlasl_hands/signbert_d128_{_kind}wlasl{_classes}'] = _changed(
        f'wlasl_hands/signbert_d128_{_kind}wlasl300',
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
# the best recipe's names before it was the default
for _name in [name for name in variants if name.startswith('wlasl_hands/signbert_d128_wlasl')]:
    variants[_name.replace('d128_', 'd128_beyond_')] = variants[_name]

# the other protocols of ST-Consistency: frozen encoders (0.01, then 0.001), and a share of the labels
for _data in ('msasl1000', 'nmfs_csl', 'slr500', 'wlasl2000'):
    _whole = f'st_consistency/st_consistency_d512_b64-60e_{_data}'
    variants[f'st_consistency/st_consistency_d512_b64-linear-70e_{_data}'] = _changed(
        _whole,
        {
            'model.frozen': True,
            'param_scheduler': [dict(type='MultiStepLR', by_epoch=True, milestones=[50], gamma=0.1)],
            'train_cfg.max_epochs': 70,
        },
    )
    # 40 and 60 % by data_ratio.ratio; the shares are assumed
    variants[f'st_consistency/st_consistency_d512_b64-semi-60e_{_data}'] = _changed(
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
        variants[f'fusion/stgcn_sign49-{_stream}_b64-80e_{_data}'] = _changed(
            f'fusion/stgcn_sign49-joint_b64-80e_{_data}',
            _in(_pipelines, stream=_stream.replace('-', '_')),
        )
for _short, _layout in (('samslr27', 'sam_slr_27'), ('wholebody133', 'coco_wholebody_133')):
    for _data in ('msasl1000', 'nmfs_csl', 'slr500', 'wlasl2000'):
        variants[f'fusion/stgcn_{_short}-joint_b64-80e_{_data}'] = _changed(
            f'fusion/stgcn_sign49-joint_b64-80e_{_data}',
            _in([*_pipelines, 'model', *_clips_of(_data)], layout=_layout),
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


# R: the videos of each data set; I3D and TSM on WLASL2000 are files
def _videos(data):
    options = {
        **_in(_clips_of(data), store=f'data/{data}', videos=f'data/{data}_videos'),
        'model.model.cls_head.num_classes': _GLOSSES[data],
    }
    if data in _UNVALIDATED:
        options.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    if data == 'nmfs_csl':
        options.update({f'test_evaluator.{key}': value for key, value in _EVALUATOR.items()})
    return options


for _network, _model, _sets in (
    ('i3d-r50_32x2', 'i3d_r50', ('msasl1000', 'nmfs_csl')),
    ('r3d-r50_32x2', 'r3d_r50', ('nmfs_csl', 'slr500')),
    ('slowfast-r50_32x2', 'slowfast_r50', ('msasl1000', 'nmfs_csl', 'slr500', 'wlasl2000')),
):
    for _data in _sets:
        variants[f'fusion/{_network}-b8-50e_{_data}'] = _parts(
            _model, 'labelled_videos', 'rgb_50e', **_videos(_data)
        )
for _data in ('msasl1000', 'nmfs_csl', 'slr500'):
    variants[f'fusion/tsm-r50_8seg-b8-50e_{_data}'] = (
        'fusion/tsm-r50_8seg-b8-50e_wlasl2000',
        _videos(_data),
    )

# H with P or R; H + P on WLASL2000 is a file
_networks = {
    _data: dict(
        H=f'signbert_d512-n3_b64-60e_{_data}',
        P=f'stgcn_sign49-joint_b64-80e_{_data}',
        R=f'{"r3d" if _data in _UNVALIDATED else "i3d"}-r50_32x2-b8-50e_{_data}',
    )
    for _data in ('msasl1000', 'nmfs_csl', 'slr500', 'wlasl2000')
}
_networks['synthetic-demo'] = dict(
    H='signbert_d128_finetune_synthetic',
    P='stgcn-c24_sign49-joint_b64-100e_synthetic-demo',
    R='r3d-r18_8x4-64px-b16-50e_synthetic-demo',
)
for _data, _configs in _networks.items():
    for _part in 'R' if _data == 'wlasl2000' else 'PR':
        variants[f'fusion/fusion_h-{_part.lower()}_{_data}'] = (
            'fusion/fusion_h-p_wlasl2000',
            {
                'model.parts.0.config': _configs['H'],
                'model.parts.1': dict(name=_part, config=_configs[_part]),
            },
        )


# the papers' pre-trainings, tested on the clips of a labelled data set, which a table's setting names
def _in_order(**clips):
    return dict(
        batch_size=64,
        num_workers=4,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='collate_poses'),
        dataset=dict(type='PoseDataset', **clips),
    )


# by the reconstruction, SignBERT's Tables 2 and 4 to 7
_centre = [dict(type='CenterTemporalSample', clip_len=32)]
variants['signbert/ablation/full/pretrain'] = (
    'pretrain_all',
    dict(
        test_dataloader=_in_order(store='data/wlasl2000', split='test', pipeline=_centre, test_mode=True),
        test_cfg=dict(_delete_=True, type='TestLoop'),
        test_evaluator=dict(type='PoseAUC'),
    ),
)
# by kNN: the training clips vote
_voters = dict(store='data/msasl1000', pipeline=_whole_clips)
variants['st_consistency/ablation/full/pretrain'] = (
    'st_consistency/st_consistency_d512_b64-150e_pretrain-all',
    dict(
        test_dataloader=_in_order(split='test', test_mode=True, **_voters),
        test_cfg=dict(_delete_=True, type='KNNTestLoop', gallery=_in_order(split='train', **_voters)),
        test_evaluator=dict(type='SignAccuracy', topk=(1, 5)),
    ),
)


# the small settings of the tables
def _cosine(epochs, warm_up):
    return {
        'train_cfg.max_epochs': epochs,
        'param_scheduler.0.end': warm_up,
        'param_scheduler.1.T_max': epochs,
    }


def _saved(interval, logged):
    return {
        'default_hooks.logger.interval': logged,
        'default_hooks.checkpoint.interval': interval,
        'default_hooks.checkpoint.max_keep_ckpts': 1,
    }


def _synthetic(table, **more):
    """The clips of the small settings, and the table that makes them."""
    prepare = f'python tools/analysis_tools/run_table.py {table} --on synthetic'
    return _in(_clips, store='data/synthetic_tables', prepare=prepare, **more)


_clips = ('train_dataloader.dataset', 'test_dataloader.dataset')
_first_30 = dict(classes=[f'gloss_{number:03d}' for number in range(30)], relabel=True)

# fine-tuning: five labelled clips a gloss; the signers of the test clips are not in train
_small = 'st_consistency/ablation/small'
variants[f'{_small}/finetune'] = (
    'st_consistency/st_consistency_d64_b64_synthetic',
    {
        **_synthetic('objectives', **_first_30),
        'train_dataloader.batch_size': 30,
        **_cosine(50, 30),
        **_saved(50, logged=10),
    },
)
variants[f'{_small}/linear'] = _changed(f'{_small}/finetune', {'model.frozen': True})
variants[f'{_small}/semi'] = _changed(
    f'{_small}/finetune',
    {
        'train_dataloader.dataset.few_shot': None,
        'train_dataloader.dataset.data_ratio': dict(ratio=0.2, seed=0),
        'default_hooks.checkpoint.interval': 15,
        **_cosine(15, 30),
    },
)
_small = 'signbert/ablation/small'
variants[f'{_small}/synthetic100'] = (
    'demo/signbert_d128_finetune_synthetic',
    {
        **_synthetic('table4'),
        **_in(_clips, **{'pipeline.0.clip_len': 10}),
        'model.head.num_classes': 100,
        'train_dataloader.batch_size': 50,
        **_cosine(20, 30),
        **_saved(20, logged=10),
    },
)
variants[f'{_small}/synthetic30'] = _changed(
    f'{_small}/synthetic100',
    {
        **_in(_clips, **_first_30),
        'model.head.num_classes': 30,
        'train_dataloader.batch_size': 30,
        'default_hooks.checkpoint.interval': 50,
        **_cosine(50, 30),
    },
)
# pre-training: 10 frames a clip, 4 passes over the training clips without their labels
_mask = dict(ratio=0.5, operations=('joint', 'frame', 'identity'), max_joints=7, offset=0.25)
variants[f'{_small}/pretrain'] = (
    'demo/signbert_d128_pretrain_synthetic',
    {
        # the default values, named
        'model.data_preprocessor.train_pipeline.4': _mask,
        'model.data_preprocessor.test_pipeline.2': _mask,
        **_synthetic('table2'),
        **_in(_clips, **{'pipeline.0.clip_len': 10}),
        'train_dataloader.batch_size': 32,
        'optim_wrapper.clip_grad.max_norm': 50.0,
        **_cosine(4, 100),
        **_saved(1, logged=50),
    },
)
# R: I3D in place of the 3D-ResNet, every other block inflated
variants[f'{_small}/i3d'] = (
    f'{_small}/r3d',
    _in(
        ['model.model.backbone'],
        conv1_kernel=(5, 7, 7),
        inflate=((1, 1), (1, 0), (1, 0), (0, 1)),
        inflate_style='3x1x1',
    ),
)
# P: ST-GCN, narrow, over 49 joints or all 133 keypoints
for _name, _layout in (('stgcn', 'sign_49'), ('stgcn133', 'coco_wholebody_133')):
    variants[f'{_small}/{_name}'] = (
        'fusion/stgcn-c24_sign49-joint_b64-100e_synthetic-demo',
        {
            **_synthetic('table9'),
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
            **_cosine(10, 30),
            **_saved(10, logged=10),
        },
    )
# 8 passes instead of 80, warm-up and cosine a tenth as long too: what 20 pre-trainings cost on one core set
# this, before any of them was tested
variants[f'{_small}/words33_pretrain'] = (
    'words33/signbert_d128_pretrain',
    {**_cosine(8, 20), **_saved(1, logged=20)},
)

# what is in no paper lies in projects/ now
_semi = '../projects/label_propagation/configs/signbert_d128_semi'
variants['words33/signbert_d128_semi'] = _semi, {}
variants['words33/signbert_d128_semi_rest'] = _semi, {'custom_hooks.0.background': '-'}
