"""An epoch loop that resumes in the middle of an epoch, and saves before it is ended."""

import contextlib
import itertools
from typing import Any, Dict, Iterable, Iterator, List, Optional

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import DistSamplerSeedHook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from ...errors import ConfigError, UserRuntimeError
from ...files.checkpoints import CheckpointError
from ...files.locks import folder_lock
from ...registry import LOOPS
from ..randomness import pass_on
from .signals import ShieldedWorker, StopFlag, watching

# In the work dir, locked by the run that writes there.
LOCK = '.training.lock'


class _RemainingBatches:
    """A batch sampler's batches without the first ``done``."""

    def __init__(self, batches: Iterable[List[int]], done: int) -> None:
        self.batches, self.done = batches, done

    def __iter__(self) -> Iterator[List[int]]:
        # Lazy: a list would hold the index of every remaining clip.
        return itertools.islice(iter(self.batches), self.done, None)

    def __len__(self) -> int:
        return len(self.batches) - self.done


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop`` (same arguments), which can resume in the middle of an epoch.

    It passes the run's seed and the epoch on to the data set, the sampler and the model's preprocessor, so
    that each epoch has other frames, augmentations and masks.

    Batches of the epoch that are done are skipped by their indices, without loading them. With
    ``EpochSeedHook``, whose random numbers depend on (seed, epoch, iteration) alone, a resumed run equals the
    uninterrupted one bit for bit on one kind of device and thread count.

    A checkpoint at the end of an epoch may be resumed with another number of batches in an epoch (other
    processes, batch size or clips): the remaining epochs have this run's number.

    SIGTERM asks the loop to stop; :class:`SafeCheckpointHook` then saves at the optimizer's next step.

    A model with ``enter_batch(begins, ends)`` gets a call before each batch: whether the batch is the first
    or the last of an optimizer step, which has several with ``accumulative_counts``.
    """

    # The iteration at which the current epoch began. It may be below 0 if earlier epochs had fewer batches.
    _epoch_begin = 0
    _resumed_place = False
    stop: Optional[StopFlag] = None

    def run(self) -> nn.Module:
        """Launches training.

        Raises:
            ConfigError: The loader gives no batch, or ``max_epochs`` or ``val_interval`` is below 1.
            CheckpointError: The checkpoint does not say where in its epoch it was saved.
            FolderInUse: Another training writes into the work dir.
        """
        if not len(self.dataloader):
            sampler = getattr(self.dataloader.batch_sampler, 'drop_last', False)
            raise ConfigError(
                'config: train_dataloader gives no batch, so nothing would be trained: '
                f'{len(self.dataloader.dataset)} clips for {get_world_size()} processes with batch size '
                f'{self._batch_size()}{", drop_last=True" if sampler else ""}. Lower batch_size, or give '
                'more clips'
            )
        if self._max_epochs < 1:
            raise ConfigError(
                f'config: train_cfg.max_epochs must be at least 1, got {self._max_epochs}: nothing would be '
                'trained'
            )
        if self.val_interval < 1:
            raise ConfigError(
                f'config: train_cfg.val_interval must be at least 1, got {self.val_interval}. To train '
                'without validation: --no-validate'
            )
        # SafeCheckpointHook calls go_on_from; another checkpoint hook does not.
        if not self._resumed_place and self._iter:
            self.go_on_from(dict(epoch=self._epoch, iter=self._iter), None, 'resumed from')
        if self._epoch >= self._max_epochs and self._iter:
            self.runner.logger.warning(
                f'Nothing is left to train: the checkpoint is of the end of epoch {self._epoch}, and '
                f'train_cfg.max_epochs is {self._max_epochs}. To train longer: --cfg-options '
                'train_cfg.max_epochs=N'
            )
        for loop in (self, self.runner._val_loop):
            loader = loop.dataloader if isinstance(loop, BaseLoop) else None
            if isinstance(loader, DataLoader) and not isinstance(loader.worker_init_fn, ShieldedWorker):
                loader.worker_init_fn = ShieldedWorker(loader.worker_init_fn)
        for drawing in (getattr(self._model, 'data_preprocessor', None), self.dataloader.dataset):
            pass_on(drawing, 'set_seed', self.runner.seed)
        with contextlib.ExitStack() as stack:
            if is_main_process():
                stack.enter_context(folder_lock(self.runner.work_dir, LOCK, 'training'))
            self.stop = stack.enter_context(watching())
            stack.callback(setattr, self, 'stop', None)
            return super().run()

    @property
    def batches_done(self) -> int:
        """Batches of the current epoch that are done."""
        return self._iter - self._epoch_begin

    def progress(self, epoch: int, iteration: int) -> Dict[str, int]:
        """The place of a checkpoint: batches done of its epoch, and what the batches depend on."""
        return dict(
            batches_done=iteration - self._epoch_begin if epoch == self._epoch else 0,
            batches_per_epoch=len(self.dataloader),
            batch_size=self._batch_size(),
            world_size=get_world_size(),
        )

    def check_progress(self, saved: Optional[Dict[str, int]], filename: str) -> None:
        """Refuses a checkpoint in the middle of an epoch with other batches than this run's.

        Raises:
            CheckpointError: Another batch size, number of processes or number of clips.
        """
        if not saved or saved['batches_done'] in (0, saved['batches_per_epoch']):
            return
        current = dict(
            batches_per_epoch=len(self.dataloader), batch_size=self._batch_size(), world_size=get_world_size()
        )
        differ = [
            f'{key} {saved[key]} there, {current[key]} here'
            for key in current
            if key in saved and saved[key] != current[key]
        ]
        if differ:
            raise CheckpointError(
                f'checkpoint {filename} was taken {saved["batches_done"]} batches into an epoch of '
                f'{saved["batches_per_epoch"]}, and this run cuts its epochs otherwise '
                f'({"; ".join(differ)}). Resume with the same data, batch size and number of processes, or '
                'from a checkpoint at the end of an epoch.'
            )

    def go_on_from(
        self, meta: Dict[str, Any], runtime_info: Optional[Dict[str, Any]], filename: str
    ) -> float:
        """Takes over the place of a checkpoint, before mmengine sets the epoch and the iteration.

        Args:
            meta (dict): The checkpoint's: ``epoch``, ``iter`` and, of this project, ``progress``.
            runtime_info (dict, optional): Of its message hub, with mmengine's ``max_epochs`` and
                ``max_iters``.
            filename (str): Its name in messages.

        Returns:
            float: Batches in an epoch now over those when it was saved.

        Raises:
            CheckpointError: It was saved in the middle of an epoch with other batches, or does not say where.
        """
        epoch, iteration, batches = int(meta['epoch']), int(meta['iter']), len(self.dataloader)
        saved = meta.get('progress') or self._stock_progress(epoch, iteration, runtime_info or {}, filename)
        self.check_progress(saved, filename)
        # If all batches are done, the end of the epoch with its validation is still to come.
        done = batches if saved['batches_done'] == saved['batches_per_epoch'] else saved['batches_done']
        self._epoch_begin, self._resumed_place = iteration - done, True
        self._max_iters = self._epoch_begin + (self._max_epochs - epoch) * batches
        if saved['batches_per_epoch'] != batches:
            self.runner.logger.info(
                f'From here on an epoch has {batches} batches; until epoch {epoch} it had '
                f'{saved["batches_per_epoch"]}.'
            )
        return batches / saved['batches_per_epoch']

    def _stock_progress(
        self, epoch: int, iteration: int, runtime_info: Dict[str, Any], filename: str
    ) -> Dict[str, int]:
        """As :meth:`progress`, of a checkpoint that stock mmengine wrote."""
        # mmengine saves the sums; if they give no whole number of batches, this run's number is tried.
        epochs, iterations = runtime_info.get('max_epochs'), runtime_info.get('max_iters')
        known = bool(epochs and iterations and iterations % epochs == 0)
        batches = iterations // epochs if known else len(self.dataloader)
        done = iteration - epoch * batches
        if not 0 <= done <= batches:
            raise CheckpointError(
                f'checkpoint {filename} is of epoch {epoch} and iteration {iteration}, and does not say how '
                f'many batches its epochs had (here they have {batches}). Resume with the data, batch size '
                'and number of processes it was trained with; or start a new run from its weights: '
                '--cfg-options load_from=CHECKPOINT, without --resume.'
            )
        return dict(batches_done=done, batches_per_epoch=batches)

    def run_epoch(self) -> None:
        """Trains one epoch, from the first batch that is not done yet."""
        DistSamplerSeedHook().before_train_epoch(self.runner)
        pass_on(self.dataloader.dataset, 'set_epoch', self._epoch)
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self.batches_done
        batches = self._remaining(done) if done else self.dataloader
        for index, data_batch in enumerate(batches, start=done):
            self.run_iter(index, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
        self._epoch_begin = self._iter

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Trains on one batch."""
        model = self._model
        if hasattr(model, 'enter_batch'):
            wrapper = self.runner.optim_wrapper
            every, done = getattr(wrapper, '_accumulative_counts', 1), getattr(wrapper, '_inner_count', 0)
            model.enter_batch(
                begins=done % every == 0, ends=(done + 1) % every == 0 or done + 1 == self.max_iters
            )
        super().run_iter(idx, data_batch)

    @property
    def _model(self) -> nn.Module:
        """The run's model, not wrapped."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    def _batch_size(self) -> int:
        sampler = self.dataloader.batch_sampler
        return int(getattr(sampler, 'batch_size', None) or self.dataloader.batch_size or 0)

    def _remaining(self, done: int) -> Iterable[Any]:
        loader = self.dataloader
        if loader.batch_sampler is None or isinstance(loader.dataset, IterableDataset):
            raise CheckpointError(
                'an iterable data set, or one that batches by itself, cannot resume in the middle of an '
                'epoch: save by epoch'
            )
        if not 0 <= done <= len(loader):
            raise UserRuntimeError(
                f'{done} batches of an epoch of {len(loader)} are done: the loader has changed while it was '
                'in use'
            )
        self.runner.logger.info(f'Going on in epoch {self._epoch + 1} after {done} of {len(loader)} batches.')
        if done == len(loader):
            return ()
        # DataLoader refuses these arguments without workers.
        names = ('prefetch_factor', 'multiprocessing_context') if loader.num_workers else ()
        workers = {name: getattr(loader, name) for name in names}
        return DataLoader(
            loader.dataset,
            batch_sampler=_RemainingBatches(loader.batch_sampler, done),
            num_workers=loader.num_workers,
            collate_fn=loader.collate_fn,
            pin_memory=loader.pin_memory,
            timeout=loader.timeout,
            worker_init_fn=loader.worker_init_fn,
            **workers,
        )
