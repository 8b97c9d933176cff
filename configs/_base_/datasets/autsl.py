# AUTSL (Sincan and Keles 2020), 226 glosses; no signer is in two splits (docs/dataset_zoo/autsl.md).
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/autsl_to_store.py AUTSL data/autsl --videos AUTSL --extractor mediapipe'
)
_store = dict(store='data/autsl', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
