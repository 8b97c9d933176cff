# WLASL (Li et al. 2020), 300 glosses (docs/dataset_zoo/wlasl.md).
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/wlasl_to_store.py WLASL data/wlasl300 --subset 300 --videos '
    'WLASL/start_kit/videos --extractor mediapipe'
)
_store = dict(store='data/wlasl300', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
