"""The recogniser of 33 ASL letters and words that comes with the package: `zoo://signbert_d128_asl33`.

It is the whole-pool recogniser without the clips of val, which set the threshold of "none of these signs".
That answer follows from the distance to the training clips (not in the papers).

It starts from the pre-trained encoder: `load_from`, see its entry in configs/signbert/metafile.yml.
"""

_base_ = './signbert_d128_finetune_pool.py'

model = dict(head=dict(distance=True))
train_dataloader = dict(dataset=dict(split='train'))
