# MS-ASL (Vaezi Joze and Koller 2019), 200 glosses (docs/dataset_zoo/msasl.md).
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/msasl_to_store.py MS-ASL data/msasl200 --subset 200 --videos '
    'MS-ASL/videos --extractor mediapipe'
)
_store = dict(store='data/msasl200', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
