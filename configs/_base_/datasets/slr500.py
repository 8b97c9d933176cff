# SLR500 (Huang et al. 2019), 500 glosses, 36 signers train and 14 test; no validation split. To choose
# anything, hold out signers: hold_out=dict(part='train', share=0.2) in train_dataloader.dataset, and a
# val_dataloader of split 'train' with part='val'.
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/slr500_to_store.py SLR500 data/slr500 --videos SLR500/color '
    '--extractor mediapipe'
)
_store = dict(store='data/slr500', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = None
val_evaluator = None
