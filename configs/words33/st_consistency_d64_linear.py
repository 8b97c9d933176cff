"""ST-Consistency's recogniser on words33 with the encoders frozen: only the linear classifiers are
trained.
"""

_base_ = './st_consistency_d64_finetune.py'

model = dict(frozen=True)
