# WLASL at full width; pre-training on the training splits that are there.
_base_ = ['../parts/data_sets.py']
title = 'WLASL'
bases = _base_._bases['WLASL']
