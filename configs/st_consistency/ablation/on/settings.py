# The papers' data sets at full width: each by itself, and all (papers); pre-training on the training splits
# that are there.
_full = 'configs/st_consistency/st_consistency_d512_b64'
_fusion = 'configs/fusion'
_loaders = ('train_dataloader', 'test_dataloader')
_gallery = ('test_dataloader', 'test_cfg.gallery')
_classes = 'model.model.cls_head.num_classes'
_bases = {}
for _name, _data, _root, _numbers, _videos in (
    ('MSASL', 'msasl', 'MS-ASL', (100, 200, 1000), 'MS-ASL/videos'),
    ('WLASL', 'wlasl', 'WLASL', (100, 300, 2000), 'WLASL/start_kit/videos'),
):
    _whole = f'{_data}{_numbers[-1]}'
    _variants = {base: {} for base in ('pretrain', 'finetune', 'linear', 'semi', 'i3d', 'skeleton')}
    for _number in _numbers:
        _store = f'data/{_data}{_number}'
        _prepare = (
            f'python tools/dataset_converters/{_data}_to_store.py {_root} {_store} --subset {_number} '
            f'--videos {_videos} --extractor mediapipe'
        )
        _clips, _voters = (
            {
                f'{place}.dataset.{key}': value
                for place in places
                for key, value in (('store', _store), ('prepare', _prepare))
            }
            for places in (_loaders, _gallery)
        )
        _title = f'{_name}{_number}'
        # one pre-training, a kNN test of each
        _variants['pretrain'][_title] = dict(options=_voters)
        for _base in ('finetune', 'linear', 'semi'):
            _variants[_base][_title] = dict(options={**_clips, 'model.head.num_classes': _number})
        _variants['skeleton'][_title] = dict(options={**_clips, _classes: _number})
        # videos of all subsets: those of the largest
        _variants['i3d'][_title] = dict(
            options={**{f'{place}.dataset.store': _store for place in _loaders}, _classes: _number}
        )
    _configs = dict(
        finetune=f'{_full}-60e_{_whole}.py',
        linear=f'{_full}-linear-70e_{_whole}.py',
        semi=f'{_full}-semi-60e_{_whole}.py',
        skeleton=f'{_fusion}/stgcn_sign49-joint_b64-80e_{_whole}.py',
        i3d=f'{_fusion}/i3d-r50_32x2-b8-50e_{_whole}.py',
    )
    _bases[_name] = _variants
    for _base, _config in _configs.items():
        for _changes in _variants[_base].values():
            _changes['config'] = _config
for _name, _data in (('NMFs-CSL', 'nmfs_csl'), ('SLR500', 'slr500')):
    _voters = {f'{place}.dataset.store': f'data/{_data}' for place in _gallery}
    if _data == 'nmfs_csl':
        # as in _base_/datasets/nmfs_csl.py
        _voters['test_evaluator.topk'] = (1, 2, 5)
        _voters['test_evaluator.subsets'] = dict(confusing=range(610), normal=range(610, 1067))
    _configs = dict(
        finetune=f'{_full}-60e',
        linear=f'{_full}-linear-70e',
        semi=f'{_full}-semi-60e',
        skeleton=f'{_fusion}/stgcn_sign49-joint_b64-80e',
        r3d=f'{_fusion}/r3d-r50_32x2-b8-50e',
    )
    if _data == 'nmfs_csl':
        _configs.update(
            i3d=f'{_fusion}/i3d-r50_32x2-b8-50e',
            tsm=f'{_fusion}/tsm-r50_8seg-b8-50e',
            slowfast=f'{_fusion}/slowfast-r50_32x2-b8-50e',
        )
    _bases[_name] = {
        'pretrain': {_name: dict(options=_voters)},
        **{base: {_name: dict(config=f'{config}_{_data}.py')} for base, config in _configs.items()},
    }
_all = 'MSASL, WLASL, NMFs-CSL and SLR500'
_bases[_all] = {
    base: {title: changes for name in list(_bases) for title, changes in _bases[name][base].items()}
    for base in ('pretrain', 'finetune', 'linear', 'semi', 'skeleton')
}
_more = dict(
    pretrain=dict(config='configs/st_consistency/ablation/full/pretrain.py'),
    semi=dict(options={'train_dataloader.dataset.data_ratio.seed': '$seed'}),
    **{base: dict(start='') for base in ('r3d', 'i3d', 'tsm', 'slowfast')},
)
settings = {
    name: dict(
        title=title,
        bases={
            base: dict(_more.get(base, {}), variants=variants) for base, variants in _bases[title].items()
        },
    )
    for name, title in (
        ('msasl', 'MSASL'),
        ('wlasl', 'WLASL'),
        ('nmfs_csl', 'NMFs-CSL'),
        ('slr500', 'SLR500'),
        ('papers', _all),
    )
}
