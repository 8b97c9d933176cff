"""Random numbers that depend on the place in the run, not on how the run got there."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from mmengine.hooks import DistSamplerSeedHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop

from ...registry import HOOKS
from ..randomness import seed_from


def seed_generators(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators (and the current CUDA device's) with ``seed``, 64
    bits.
    """
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(seed)


def tell(dataset: Any, method: str, value: int) -> None:
    """Call ``set_epoch`` or ``set_seed`` of a data set, or of those it wraps (``dataset``, ``datasets``)."""
    if hasattr(dataset, method):
        getattr(dataset, method)(value)
        return
    for inner in [getattr(dataset, 'dataset', None), *(getattr(dataset, 'datasets', None) or ())]:
        if inner is not None:
            tell(inner, method, value)


@HOOKS.register_module()
class EpochSeedHook(DistSamplerSeedHook):
    """Tells the run's seed and the epoch to whatever draws, and reseeds the generators before every iteration
    from (seed, epoch, iteration, rank).

    So dropout and whatever else draws in the training step is the same in a resumed run as in one that was
    never interrupted, at any batch, without a random state in the checkpoint. A data set's own draws come
    from :class:`signbert_mm.draws.Draws`; one that uses the global generators resumes bit for bit at the end
    of an epoch only. It takes the place of mmengine's ``DistSamplerSeedHook``:
    ``default_hooks=dict(sampler_seed=dict(type='EpochSeedHook'))``.

    Args:
        reseed (bool): False leaves the generators alone and tells the epoch only.
    """

    def __init__(self, reseed: bool = True) -> None:
        self.reseed = reseed

    def before_train(self, runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        loader = runner.train_loop.dataloader
        tell(getattr(model, 'data_preprocessor', None), 'set_seed', runner.seed)
        tell(loader.dataset, 'set_seed', runner.seed)
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._follow_sampler(runner, loader)

    @staticmethod
    def _follow_sampler(runner, loader: Any) -> None:
        """An iteration-based loop has no epochs of its own, but its iterator tells the sampler of each new
        pass: the data set then hears it too.
        """
        sampler_set_epoch = getattr(loader.sampler, 'set_epoch', None)
        if sampler_set_epoch is None or isinstance(loader.sampler, InfiniteSampler):
            runner.logger.warning(
                'EpochSeedHook: an endless sampler has no epochs, so each clip gets the '
                'same draws each time; use DefaultSampler.'
            )
            return

        def set_epoch(epoch: int) -> None:
            sampler_set_epoch(epoch)
            tell(loader.dataset, 'set_epoch', epoch)

        loader.sampler.set_epoch = set_epoch

    def before_train_epoch(self, runner) -> None:
        super().before_train_epoch(runner)
        tell(runner.train_loop.dataloader.dataset, 'set_epoch', runner.epoch)
        if self.reseed:  # what the loader draws: its workers' seeds, a sampler without its own generator
            seed_generators(seed_from(runner.seed, 'epoch', runner.epoch, get_rank()))

    def before_train_iter(self, runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.reseed:
            seed_generators(seed_from(runner.seed, 'iteration', runner.epoch, batch_idx, get_rank()))
