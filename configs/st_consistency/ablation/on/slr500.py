# SLR500 at full width; pre-training on the training splits that are there.
_base_ = ['../parts/data_sets.py']
title = 'SLR500'
bases = _base_._bases['SLR500']
