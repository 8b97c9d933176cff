"""Random numbers that depend on the place in the run, not on how the run got there."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import DistSamplerSeedHook

from ...registry import HOOKS
from ..randomness import seed_from


def seed_generators(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators (and the current CUDA device's) with ``seed``, 64 bits."""
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(seed)


def tell_epoch(dataset: Any, epoch: int) -> None:
    """Call ``set_epoch`` of a data set, or of those it wraps (``dataset``, ``datasets``)."""
    if hasattr(dataset, 'set_epoch'):
        dataset.set_epoch(epoch)
        return
    for inner in [getattr(dataset, 'dataset', None), *(getattr(dataset, 'datasets', None) or ())]:
        if inner is not None:
            tell_epoch(inner, epoch)


@HOOKS.register_module()
class EpochSeedHook(DistSamplerSeedHook):
    """Tells sampler and data set the epoch, and reseeds the generators before every iteration from (seed, epoch, iteration, rank).

    So dropout and whatever else draws in the training step is the same in a resumed run as in one that was never interrupted, at any batch, without
    a random state in the checkpoint. A data set's own draws come from :class:`signbert_mm.draws.Draws`; one that uses the global generators resumes
    bit for bit at the end of an epoch only. It takes the place of mmengine's ``DistSamplerSeedHook``:
    ``default_hooks=dict(sampler_seed=dict(type='EpochSeedHook'))``.

    Args:
        reseed (bool): False leaves the generators alone and tells the epoch only.
    """

    def __init__(self, reseed: bool = True) -> None:
        self.reseed = reseed

    def before_train_epoch(self, runner) -> None:
        super().before_train_epoch(runner)
        tell_epoch(runner.train_loop.dataloader.dataset, runner.epoch)
        if self.reseed:  # what the loader draws: its workers' seeds, a sampler without its own generator
            seed_generators(seed_from(runner.seed, 'epoch', runner.epoch, get_rank()))

    def before_train_iter(self, runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.reseed:
            seed_generators(seed_from(runner.seed, 'iteration', runner.epoch, batch_idx, get_rank()))
