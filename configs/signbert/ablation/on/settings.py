# The papers' data sets at full width; pre-training on the training splits that are there, reconstruction
# scored on the largest vocabulary. HANDS17 and STB: Tables 2 and 1.
_fusion = 'configs/fusion'
_clips = ('train_dataloader.dataset', 'test_dataloader.dataset')
_recogniser = 'configs/signbert/signbert_d512-n3_b64-60e'


def _pretrain(store):
    changed = {'test_dataloader.dataset.store': store}
    return dict(config='configs/signbert/ablation/full/pretrain.py', options=changed)


def _vocabularies(title, data, root, videos, numbers):
    """A data set with several vocabularies, each a store of its own."""
    largest = f'{data}{numbers[-1]}'
    skeleton, i3d = {}, {}
    for number in numbers:
        store, name = f'data/{data}{number}', f'{title.replace("-", "")}{number}'
        prepare = (
            f'python tools/dataset_converters/{data}_to_store.py {root} {store} --subset {number} --videos '
            f'{videos} --extractor mediapipe'
        )
        # I3D reads the videos of the largest vocabulary
        changed = {f'{place}.store': store for place in _clips}
        changed['model.model.cls_head.num_classes'] = number
        i3d[name] = dict(options=changed)
        skeleton[name] = dict(options={**changed, **{f'{place}.prepare': prepare for place in _clips}})
    return dict(
        title=title,
        bases=dict(
            pretrain=_pretrain(f'data/{largest}'),
            sequence=_pretrain(f'data/{largest}'),
            finetune=dict(
                variants={
                    name: dict(config=f'{_recogniser}_{data}{number}.py')
                    for name, number in zip(i3d, numbers)
                }
            ),
            skeleton=dict(config=f'{_fusion}/stgcn_sign49-joint_b64-80e_{largest}.py', variants=skeleton),
            skeleton133=dict(
                config=f'{_fusion}/stgcn_wholebody133-joint_b64-80e_{largest}.py', variants=skeleton
            ),
            i3d=dict(start='', config=f'{_fusion}/i3d-r50_32x2-b8-50e_{largest}.py', variants=i3d),
        ),
    )


def _one_vocabulary(title, data, **networks):
    """A data set with one vocabulary; ``networks`` are those of videos."""

    def variant(config, **more):
        return dict(variants={title: dict(config=f'{config}_{data}.py')}, **more)

    return dict(
        title=title,
        bases=dict(
            pretrain=_pretrain(f'data/{data}'),
            sequence=_pretrain(f'data/{data}'),
            finetune=variant(_recogniser),
            skeleton=variant(f'{_fusion}/stgcn_sign49-joint_b64-80e'),
            skeleton133=variant(f'{_fusion}/stgcn_wholebody133-joint_b64-80e'),
            **{base: variant(f'{_fusion}/{network}', start='') for base, network in networks.items()},
        ),
    )


settings = dict(
    msasl=_vocabularies('MS-ASL', 'msasl', 'MS-ASL', 'MS-ASL/videos', (100, 200, 1000)),
    wlasl=_vocabularies('WLASL', 'wlasl', 'WLASL', 'WLASL/start_kit/videos', (100, 300, 2000)),
    nmfs_csl=_one_vocabulary(
        'NMFs-CSL',
        'nmfs_csl',
        r3d='r3d-r50_32x2-b8-50e',
        i3d='i3d-r50_32x2-b8-50e',
        tsm='tsm-r50_8seg-b8-50e',
        slowfast='slowfast-r50_32x2-b8-50e',
    ),
    slr500=_one_vocabulary('SLR500', 'slr500', r3d='r3d-r50_32x2-b8-50e'),
    hands17=dict(title='HANDS17', bases=dict(sequence=dict(config=f'{_recogniser}_hands17.py'))),
    stb=dict(title='STB', bases=dict(single_frame=dict(config=f'{_recogniser}_stb.py'))),
)
