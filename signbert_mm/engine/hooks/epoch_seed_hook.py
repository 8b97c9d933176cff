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
from ..randomness import pass_on, seed_from
from ..runner.train_loop import ResumableTrainLoop


def seed_generators(seed: int) -> None:
    """Seeds Python's, numpy's, torch's and the current CUDA device's generators with ``seed``, 64 bits."""
    random.seed(seed)
    # numpy accepts 32 bits.
    np.random.seed(seed & 0xFFFFFFFF)
    # ``torch.manual_seed`` would also reseed every other device.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(seed)


@HOOKS.register_module()
class EpochSeedHook(DistSamplerSeedHook):
    """Reseeds the generators before every iteration, and passes seed and epoch on to all that draws.

    The generators' seed depends on (run's seed, epoch, iteration, rank).

    So dropout and other draws of the training step are the same in a resumed run as in one that was never
    interrupted, at any batch, without a random state in the checkpoint. A data set's own draws come from
    :class:`signbert_mm.draws.Draws`. A data set that uses the global generators resumes bit for bit at the
    end of an epoch only. :class:`ResumableTrainLoop` passes seed and epoch on by itself; for other loops the
    hook does. It replaces mmengine's ``DistSamplerSeedHook``:
    ``default_hooks=dict(sampler_seed=dict(type='EpochSeedHook'))``.

    Args:
        reseed (bool): False leaves the generators alone.
    """

    def __init__(self, reseed: bool = True) -> None:
        self.reseed = reseed

    def before_train(self, runner) -> None:
        # The loop passes on seed and epoch by itself.
        if isinstance(runner.train_loop, ResumableTrainLoop):
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        loader = runner.train_loop.dataloader
        pass_on(getattr(model, 'data_preprocessor', None), 'set_seed', runner.seed)
        pass_on(loader.dataset, 'set_seed', runner.seed)
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._follow_sampler(runner, loader)

    @staticmethod
    def _follow_sampler(runner, loader: Any) -> None:
        """Passes the epoch on to the data set in an iteration-based loop, which has no epochs of its own."""
        sampler_set_epoch = getattr(loader.sampler, 'set_epoch', None)
        if sampler_set_epoch is None or isinstance(loader.sampler, InfiniteSampler):
            runner.logger.warning(
                'EpochSeedHook: an endless sampler has no epochs, so each clip gets the '
                'same draws each time; use DefaultSampler.'
            )
            return

        # The loop's iterator calls the sampler's ``set_epoch`` at each new pass over the data.
        def set_epoch(epoch: int) -> None:
            sampler_set_epoch(epoch)
            pass_on(loader.dataset, 'set_epoch', epoch)

        loader.sampler.set_epoch = set_epoch

    def before_train_epoch(self, runner) -> None:
        if not isinstance(runner.train_loop, ResumableTrainLoop):
            super().before_train_epoch(runner)
            pass_on(runner.train_loop.dataloader.dataset, 'set_epoch', runner.epoch)
        # For the draws of the loader: its workers' seeds, and a sampler without its own generator.
        if self.reseed:
            seed_generators(seed_from(runner.seed, 'epoch', runner.epoch, get_rank()))

    def before_train_iter(self, runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.reseed:
            seed_generators(seed_from(runner.seed, 'iteration', runner.epoch, batch_idx, get_rank()))
