"""Self-training on words33 as signbert_d128_semi.py, knowing one thing beside the labels: that the gloss '-'
is rest, and stands for no sign.
"""

_base_ = './signbert_d128_semi.py'

custom_hooks = [dict(type='PseudoLabelHook', background='-')]
