"""The linear protocol on the demo's synthetic signs: frozen query encoders of ``--cfg-options
load_from=PRETRAINED.pth``, linear classifiers.
"""

_base_ = './st_consistency_d64_b64_synthetic.py'
model = dict(frozen=True)
