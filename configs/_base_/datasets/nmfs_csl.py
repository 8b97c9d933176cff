# NMFs-CSL (Hu et al. 2021), 610 confusing and 457 normal glosses; no validation split: hold out clips of train to choose anything.
_base_ = './labelled_clips.py'

_store = dict(store='data/nmfs_csl', prepare='python tools/dataset_converters/pyskl_to_store.py POSES.pkl data/nmfs_csl')
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = None
val_evaluator = None
test_evaluator = dict(topk=(1, 2, 5), subsets=dict(confusing=range(610), normal=range(610, 1067)))
