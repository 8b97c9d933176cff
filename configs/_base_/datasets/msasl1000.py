# MS-ASL (Vaezi Joze and Koller 2019), 1,000 glosses (docs/dataset_zoo/msasl.md).
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/msasl_to_store.py MS-ASL data/msasl1000 --subset 1000 --videos '
    'MS-ASL/videos --extractor mediapipe'
)
_store = dict(store='data/msasl1000', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
