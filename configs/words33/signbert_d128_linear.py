"""SignBERT's recogniser on words33 with the encoder frozen: only the prediction head is trained."""

_base_ = './signbert_d128_finetune.py'

model = dict(frozen=('embedder', 'backbone'))
