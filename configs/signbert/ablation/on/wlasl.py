# WLASL at full width; pre-training on the training splits that are there, reconstruction scored on WLASL2000.
title = 'WLASL'
_pretrain = dict(
    config='configs/signbert/ablation/full/pretrain.py',
    options={'test_dataloader.dataset.store': 'data/wlasl2000'},
)
_data = ('train_dataloader.dataset.store', 'test_dataloader.dataset.store')
_subsets = {
    f'WLASL{classes}': dict(
        options={**dict.fromkeys(_data, f'data/wlasl{classes}'), 'model.model.cls_head.num_classes': classes}
    )
    for classes in (100, 300, 2000)
}
_prepare = (
    'python tools/dataset_converters/wlasl_to_store.py WLASL {} --subset {} --videos '
    'WLASL/start_kit/videos --extractor mediapipe'
)
_skeleton = {
    name: dict(
        options={
            **changed['options'],
            **{
                place.replace('store', 'prepare'): _prepare.format(changed['options'][place], name[5:])
                for place in _data
            },
        }
    )
    for name, changed in _subsets.items()
}
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        variants={
            f'WLASL{classes}': dict(config=f'configs/signbert/signbert_d512-n3_b64-60e_wlasl{classes}.py')
            for classes in (100, 300, 2000)
        }
    ),
    skeleton=dict(config='configs/fusion/stgcn_sign49-joint_b64-80e_wlasl2000.py', variants=_skeleton),
    skeleton133=dict(
        config='configs/fusion/stgcn_wholebody133-joint_b64-80e_wlasl2000.py', variants=_skeleton
    ),
    # videos of all subsets: data/wlasl2000_videos
    rgb=dict(start='', config='configs/fusion/i3d-r50_32x2-b8-50e_wlasl2000.py', variants=_subsets),
)
