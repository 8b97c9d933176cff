# All data sets of the papers at full width; pre-training on the training splits that are there.
_base_ = ['../parts/data_sets.py']
title = 'MSASL, WLASL, NMFs-CSL and SLR500'
bases = _base_._bases['all']
