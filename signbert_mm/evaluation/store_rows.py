"""Tests a recogniser on the clips of another store than its config names."""

import os
from typing import Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from .metrics import SignAccuracy

# Keys of a data set that select clips or name its store.
SELECTS = (
    'split',
    'classes',
    'relabel',
    'few_shot',
    'data_ratio',
    'indices',
    'hold_out',
    'empty_clip',
    'prepare',
)


def store_rows(
    model: torch.nn.Module, cfg: Config, store: Union[str, os.PathLike], metric: SignAccuracy
) -> np.ndarray:
    """Recognises all clips of a store, sampled and transformed as the config's test data.

    Args:
        model (nn.Module): The recogniser.
        cfg (Config): Its config with a ``test_dataloader``, whose data set is a :class:`PoseDataset`.
        store (str): Folder of the store; its labels are the model's.
        metric (SignAccuracy): Its :meth:`~SignAccuracy.compute_rows` takes the result.

    Returns:
        ndarray: Shape (N, 3) int64 in the store's order: label, rank of the right class, classes.
    """
    dataset = {key: value for key, value in cfg.test_dataloader.dataset.items() if key not in SELECTS}
    dataset.update(store=os.fspath(store), test_mode=True)
    settings = dict(
        cfg.test_dataloader, dataset=dataset, num_workers=0, persistent_workers=False, drop_last=False
    )
    settings['sampler'] = dict(type='DefaultSampler', shuffle=False)
    rows = []
    for batch in Runner.build_dataloader(settings):
        rows += metric.clip_rows([sample.to_dict() for sample in model.test_step(batch)])
    return np.stack(rows)
