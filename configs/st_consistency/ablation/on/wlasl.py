# WLASL at full width; pre-training on the training splits that are there.
title = 'WLASL'
_parts = ('train_dataloader', 'test_dataloader')


def _subsets(parts, head=True):
    found = {}
    for classes in (100, 300, 2000):
        store = f'data/wlasl{classes}'
        prepare = f'python tools/dataset_converters/wlasl_to_store.py WLASL {store} --subset {classes}'
        prepare += ' --videos WLASL/start_kit/videos --extractor mediapipe'
        options = {
            f'{part}.dataset.{key}': value
            for part in parts
            for key, value in (('store', store), ('prepare', prepare))
        }
        found[f'WLASL{classes}'] = dict(
            options=dict(options, **({'model.head.num_classes': classes} if head else {}))
        )
    return found


_rgb = {
    f'WLASL{classes}': dict(
        options={
            **{f'{part}.dataset.store': f'data/wlasl{classes}' for part in _parts},
            'model.model.cls_head.num_classes': classes,
        }
    )
    for classes in (100, 300, 2000)
}
bases = dict(
    pretrain=dict(
        config='configs/st_consistency/ablation/full/pretrain.py',
        # one training, a kNN test of each
        variants=_subsets(('test_dataloader', 'test_cfg.gallery'), head=False),
    ),
    finetune=dict(
        config='configs/st_consistency/st_consistency_d512_b64-60e_wlasl2000.py', variants=_subsets(_parts)
    ),
    linear=dict(
        config='configs/st_consistency/st_consistency_d512_b64-linear-70e_wlasl2000.py',
        variants=_subsets(_parts),
    ),
    semi=dict(
        config='configs/st_consistency/st_consistency_d512_b64-semi-60e_wlasl2000.py',
        options={'train_dataloader.dataset.data_ratio.seed': '$seed'},
        variants=_subsets(_parts),
    ),
    # videos of all subsets: data/wlasl2000_videos
    rgb=dict(start='', config='configs/fusion/i3d-r50_32x2-b8-50e_wlasl2000.py', variants=_rgb),
)
