"""An epoch loop that resumes in the middle of an epoch."""

import itertools
from typing import Any, Dict, Iterable, Iterator, List, Optional

from mmengine.dist import get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader, IterableDataset

from ...registry import LOOPS
from ..checkpoint_io import CheckpointError


class _Rest:
    """A batch sampler's batches but the first ``done``, one at a time: a list would hold the index of every clip that is left."""

    def __init__(self, batches: Iterable[List[int]], done: int) -> None:
        self.batches, self.done = batches, done

    def __iter__(self) -> Iterator[List[int]]:
        return itertools.islice(iter(self.batches), self.done, None)

    def __len__(self) -> int:
        return len(self.batches) - self.done


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop`` (same arguments) that goes on where a checkpoint of ``by_epoch=False`` was taken.

    The batches of the epoch that were already seen are skipped by their indices, without loading them. Together with ``EpochSeedHook``, whose random
    numbers depend on (seed, epoch, iteration) alone, a resumed run equals the uninterrupted one bit for bit on one kind of device and thread count.

    A model with ``enter_batch(begins, ends)`` is told before each batch whether it is the first or the last of a step of the optimizer, of which
    ``accumulative_counts`` makes one of several batches.
    """

    def progress(self, epoch: int, iteration: int) -> Dict[str, int]:
        """The place of a checkpoint: batches done of its epoch, and what the number of a batch depends on."""
        batches = len(self.dataloader)
        return dict(
            batches_done=iteration - epoch * batches,
            batches_per_epoch=batches,
            batch_size=self._batch_size(),
            world_size=get_world_size(),
        )

    def check_progress(self, saved: Optional[Dict[str, int]], filename: str) -> None:
        """Refuse a checkpoint in the middle of an epoch whose batches were cut otherwise than this run's.

        Raises:
            CheckpointError: Another batch size, number of processes or number of clips.
        """
        if not saved or saved['batches_done'] in (0, saved['batches_per_epoch']):
            return
        now = dict(batches_per_epoch=len(self.dataloader), batch_size=self._batch_size(), world_size=get_world_size())
        differ = [f'{key} {saved[key]} there, {now[key]} here' for key in now if saved[key] != now[key]]
        if differ:
            raise CheckpointError(
                f'checkpoint {filename} was taken {saved["batches_done"]} batches into an epoch of {saved["batches_per_epoch"]}, and this run cuts '
                f'its epochs otherwise ({"; ".join(differ)}). Resume with the same data, batch size and number of processes, or from a checkpoint '
                'at the end of an epoch.'
            )

    def run_epoch(self) -> None:
        """One epoch, from the first batch that is not done yet."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        batches = self.dataloader if done <= 0 else self._remaining(done)
        for index, data_batch in enumerate(batches, start=max(done, 0)):
            self.run_iter(index, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """One batch."""
        model = self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model
        if hasattr(model, 'enter_batch'):
            wrapper = self.runner.optim_wrapper
            every, done = getattr(wrapper, '_accumulative_counts', 1), getattr(wrapper, '_inner_count', 0)
            model.enter_batch(begins=done % every == 0, ends=(done + 1) % every == 0 or done + 1 == self.max_iters)
        super().run_iter(idx, data_batch)

    def _batch_size(self) -> int:
        sampler = self.dataloader.batch_sampler
        return int(getattr(sampler, 'batch_size', None) or self.dataloader.batch_size or 0)

    def _remaining(self, done: int) -> Iterable[Any]:
        loader = self.dataloader
        if loader.batch_sampler is None or isinstance(loader.dataset, IterableDataset):
            raise CheckpointError('an iterable data set, or one that batches by itself, cannot resume in the middle of an epoch: save by epoch')
        self.runner.logger.info(f'Going on in epoch {self._epoch + 1} after {done} of {len(loader)} batches.')
        if done >= len(loader):
            return ()
        workers = dict(prefetch_factor=loader.prefetch_factor, multiprocessing_context=loader.multiprocessing_context) if loader.num_workers else {}
        return DataLoader(
            loader.dataset,
            batch_sampler=_Rest(loader.batch_sampler, done),
            num_workers=loader.num_workers,
            collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory,
            timeout=loader.timeout,
            worker_init_fn=loader.worker_init_fn,
            **workers,
        )
