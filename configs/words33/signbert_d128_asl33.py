"""The recogniser of 33 ASL letters and words that comes with the package: `zoo://signbert_d128_asl33`.

It is trained on the clips before those of val, so that val can set the threshold of "none of these signs".
Hands at rest, transitions, and seven of the eight letters and marks that are not among the 33 signs are
outputs of the head too (not in the papers). Other words are for calibration and measurement.

It starts from the pre-trained encoder: `load_from`, see its entry in configs/signbert/metafile.yml.
"""

_base_ = './signbert_d128_finetune_pool.py'

_npz_to_store = 'python tools/dataset_converters/npz_to_store.py'
_clips = dict(
    type='PoseDataset',
    layout='hands_42',
    split='train',
    pipeline=[dict(type='UniformTemporalSample', clip_len=10)],
)
# seven other letters and marks, and no sign
model = dict(head=dict(num_unknown=8))
train_dataloader = dict(
    batch_size=66,
    dataset=dict(
        _delete_=True,
        type='OpenSetDataset',
        known=dict(_clips, store='data/words33'),
        unknown=dict(
            _clips,
            store='data/letters28_splits',
            prepare=f'{_npz_to_store} asl_letters28.npz data/letters28_splits --protocol words33',
        ),
        part=1,
        parts=2,
        share=0.3,
        no_sign=0.5,
    ),
)
