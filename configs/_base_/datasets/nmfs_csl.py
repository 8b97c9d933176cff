# NMFs-CSL (Hu et al. 2021), 610 confusing and 457 normal glosses; no validation split and no names of
# signers. To choose anything, hold out clips: hold_out=dict(part='train', share=0.2, by='clip') in
# train_dataloader.dataset, and a val_dataloader of split 'train' with part='val'. That labels 0 to 609 are
# the confusing ones is inferred (docs/dataset_zoo/nmfs_csl.md); other lists: test_evaluator.subsets.
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/nmfs_csl_to_store.py NMFs-CSL data/nmfs_csl --videos '
    'NMFs-CSL/video --extractor mediapipe'
)
_store = dict(store='data/nmfs_csl', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = None
val_evaluator = None
test_evaluator = dict(topk=(1, 2, 5), subsets=dict(confusing=range(610), normal=range(610, 1067)))
