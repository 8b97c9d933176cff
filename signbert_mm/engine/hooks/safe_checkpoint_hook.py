"""Checkpoints that a kill cannot spoil and that load without executing anything."""

import inspect
import logging
import os
import os.path as osp
from typing import Any, Dict, List, Optional, Tuple

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.utils import get_git_hash

from ...errors import ConfigError, UserRuntimeError, did_you_mean
from ...files.atomic import remove_leftovers, write_atomic
from ...files.checkpoints import CheckpointError, refuse_non_finite
from ...registry import HOOKS
from ...version import __version__
from ..checkpoint_io import (
    ATOMIC_BACKEND,
    find_last_whole_checkpoint,
    pack_message_hub,
    to_plain,
    unpack_message_hub,
)
from ..resuming import keep_settings, refuse_partial
from ..runner.schedules import continue_schedules
from ..runner.signals import TrainingStopped
from ..runner.train_loop import ResumableTrainLoop

# The checkpoint of a run that SIGTERM stopped between two regular ones. The next regular one removes it.
INTERRUPTED = 'interrupted.pth'
# Steps between two checks of the losses. Each check waits for the device.
CHECK_EVERY = 10


class DivergedError(RuntimeError):
    """A loss or a weight is no longer a finite number, so training on is pointless."""


def package_git_hash() -> str:
    """The short commit hash of the checkout this package runs from, or ''."""
    folder = osp.dirname(osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))))
    if not osp.exists(osp.join(folder, '.git')):
        return ''
    here = os.getcwd()
    try:
        # mmengine's helper asks git about the working directory.
        os.chdir(folder)
        return get_git_hash(fallback='', digits=8)
    finally:
        os.chdir(here)


def dataset_facts(dataset: Any) -> Dict[str, Any]:
    """Glosses, layout, extractors and frame rate of a data set, as far as it states them.

    The keys are ``glosses`` (list of str), ``layout`` (str), ``extractor`` (list of str) and ``fps`` (float).
    Values come from ``metainfo`` or from attributes.
    """
    # Unwrap: RepeatDataset and the like keep theirs as ``dataset``.
    while (
        not hasattr(dataset, 'metainfo') and not hasattr(dataset, 'glosses') and hasattr(dataset, 'dataset')
    ):
        dataset = dataset.dataset
    meta = getattr(dataset, 'metainfo', None) or {}
    facts: Dict[str, Any] = {}
    glosses = meta.get('glosses', meta.get('classes', getattr(dataset, 'glosses', None)))
    if glosses is not None:
        facts['glosses'] = [str(gloss) for gloss in glosses]
    layout = meta.get('layout', getattr(dataset, 'layout', None))
    if layout is not None:
        facts['layout'] = str(getattr(layout, 'name', layout))
    extractor = meta.get('extractor')
    if extractor:
        facts['extractor'] = [extractor] if isinstance(extractor, str) else [str(name) for name in extractor]
    if meta.get('fps'):
        facts['fps'] = float(meta['fps'])
    return facts


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` with the same arguments, and these differences.

    - A checkpoint and ``last_checkpoint`` are written to a second file, synced and renamed. Older ones
      (``max_keep_ckpts``, the last best) are removed only after that. A kill or a full disk at any moment
      leaves the previous checkpoint intact.
    - The file holds tensors and plain values only, the message hub as arrays. So it loads with
      ``weights_only=True`` (mmengine #1655).
    - ``meta`` also holds the package version, its git hash, the training data's glosses, layout, extractors
      and frame rate, and the place in the epoch.
    - ``resume=True`` without a path continues from the last complete checkpoint of the work folder. So does
      ``resume='auto'``, which falls back to ``load_from`` where there is no checkpoint. (mmengine's tools
      drop ``load_from`` then, and train from scratch.)
    - ``by_epoch=False`` with :class:`ResumableTrainLoop`: resuming continues in the middle of the epoch.
    - A loss that is not finite stops the training, a few steps later at most. It always does so before a
      checkpoint is written, so good ones are not rotated away.
    - So do losses that all are exactly 0 from the start, with which nothing is learned.
    - SIGTERM under :class:`ResumableTrainLoop`: the state is saved at the next step of the optimizer, as
      ``interrupted.pth`` in runs that save by epoch, and the training ends (:class:`TrainingStopped`).
    - Resuming from a checkpoint without the optimizer's state is an error, where this run saves that state.
      So is another optimizer, and are other schedules. Other values of theirs change nothing, which a warning
      says: the state of the checkpoint holds.
    - ``runner.val()`` without training keeps no best checkpoint, since it changes no weights. (mmengine's
      hook fails there with ``save_best``.)
    """

    def __init__(self, *args: Any, backend_args: Optional[dict] = None, **kwargs: Any) -> None:
        known = [name for name in inspect.signature(CheckpointHook).parameters if name != 'kwargs']
        for name in kwargs:
            # mmengine would accept it here and fail at the first save.
            if name not in known:
                raise ConfigError(
                    f'config: {type(self).__name__} has no argument {name!r}. {did_you_mean(name, known)}'
                )
        super().__init__(*args, backend_args=backend_args or dict(backend=ATOMIC_BACKEND), **kwargs)
        # (iteration, losses) of the steps that were not checked yet.
        self._losses: List[Tuple[int, Dict[str, torch.Tensor]]] = []
        # Steps until a loss was not exactly 0; None = one was.
        self._idle_steps: Optional[int] = 0
        # The iteration of this process's last checkpoint.
        self._saved_iter: Optional[int] = None

    def before_run(self, runner) -> None:
        """Chooses the checkpoint to resume from. mmengine loads it after this."""
        if runner._resume == 'auto' or (runner._resume and runner._load_from is None):
            out_dir = (
                osp.join(self.out_dir, osp.basename(runner.work_dir.rstrip(osp.sep)))
                if self.out_dir
                else None
            )
            checkpoint = find_last_whole_checkpoint(runner.work_dir, out_dir)
            if checkpoint is None:
                start = f'the weights of {runner._load_from}' if runner._load_from else 'the beginning'
                runner.logger.info(f'Nothing to resume in {runner.work_dir}: training starts from {start}.')
            runner._load_from = checkpoint or runner._load_from
            runner._resume = checkpoint is not None

    def before_train(self, runner) -> None:
        super().before_train(runner)
        os.makedirs(self.out_dir, exist_ok=True)
        if is_main_process():
            remove_leftovers(self.out_dir)
        every = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if every > 1 and (self.interval if not self.by_epoch else len(runner.train_dataloader)) % every:
            runner.logger.warning(
                f'Some checkpoints fall between two steps of the optimizer (accumulative_counts={every}); a '
                'run resumed from one lacks the gradients '
                'gathered until then. Choose an interval, or a number of batches in the epoch, that is a '
                'multiple of it.'
            )
        if not self.by_epoch and not isinstance(runner.train_loop, ResumableTrainLoop):
            runner.logger.warning(
                'Checkpoints in the middle of an epoch resume exactly only with '
                'train_cfg=dict(type="ResumableTrainLoop", max_epochs=...); '
                f'this run uses {type(runner.train_loop).__name__}.'
            )

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Adds the facts that loading checks, and turns everything but the weights into plain values."""
        meta = checkpoint['meta']
        try:
            refuse_non_finite(checkpoint, 'the model')
        except CheckpointError as error:
            raise DivergedError(f'{error} No checkpoint is written; those before are kept.') from None
        meta.update(
            signbert_mm_version=__version__,
            signbert_mm_git=package_git_hash(),
            **dataset_facts(runner.train_dataloader.dataset),
        )
        loop = runner.train_loop
        if isinstance(loop, ResumableTrainLoop):
            meta['progress'] = loop.progress(epoch=meta['epoch'], iteration=meta['iter'])
        for key in list(checkpoint):
            if key == 'message_hub':
                checkpoint[key] = pack_message_hub(checkpoint[key])
            elif key not in ('state_dict', 'ema_state_dict'):
                checkpoint[key] = to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Prepares the checkpoint that mmengine is about to load.

        Raises:
            CheckpointError: The run resumes from a file that lacks a part of the state, that is of another
                optimizer or other schedules, or whose epochs had other lengths.
        """
        if runner._resume:
            refuse_partial(runner, checkpoint, self.save_optimizer)
            keep_settings(runner, checkpoint)
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = unpack_message_hub(checkpoint['message_hub'])
        loop = runner.train_loop if runner._resume else None
        if not isinstance(loop, ResumableTrainLoop):
            return
        runtime_info = checkpoint['message_hub'].get('runtime_info')
        ratio = loop.go_on_from(checkpoint['meta'], runtime_info, str(runner._load_from))
        strategy = getattr(runner, 'strategy', None)
        built = getattr(strategy or runner, 'param_schedulers', None)
        continue_schedules(
            checkpoint.get('param_schedulers'), runner.cfg.get('param_scheduler'), built, ratio
        )
        # A FlexibleRunner's strategy got the number of iterations before the checkpoint was read.
        if 'max_iters' in getattr(strategy, 'dispatch_kwargs', {}):
            strategy.dispatch_kwargs['max_iters'] = loop.max_iters

    def after_train_iter(
        self, runner, batch_idx: int, data_batch: Any = None, outputs: Optional[dict] = None
    ) -> None:
        """Checks the losses now and then, saves where a checkpoint is due, and stops after a SIGTERM.

        Raises:
            DivergedError: A loss is not finite.
            TrainingStopped: SIGTERM arrived, and the state is saved.
        """
        losses = {
            name: value.detach()
            for name, value in (outputs or {}).items()
            if isinstance(value, torch.Tensor) and 'loss' in name
        }
        # The tensors stay on the device. Reading them here would wait at every step.
        self._losses.append((runner.iter, losses))
        if (runner.iter + 1) % CHECK_EVERY == 0:
            self._refuse_diverged(runner)
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        every = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        # Between two steps of the optimizer, the accumulated gradients would be lost.
        if (runner.iter + 1) % every == 0 and self._stop_requested(runner):
            self._stop(
                runner,
                f'after batch {batch_idx + 1} of {len(runner.train_dataloader)} of epoch {runner.epoch + 1}',
                runner.iter + 1,
            )

    def before_train_epoch(self, runner) -> None:
        # Without a checkpoint of this iteration, `after_train_iter` saves and stops after the next batch.
        if runner.iter and self._saved_iter == runner.iter and self._stop_requested(runner):
            self._stop(runner, f'after epoch {runner.epoch}', runner.iter)

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        # Processes may validate different numbers of batches, so they could not agree on a stop here.
        if get_world_size() == 1 and isinstance(runner, Runner) and self._stop_requested(runner):
            self._stop(runner, f'in the validation of epoch {runner.epoch}', runner.iter)

    @staticmethod
    def _stop_requested(runner) -> bool:
        loop = runner._train_loop
        return isinstance(loop, ResumableTrainLoop) and loop.stop is not None and loop.stop.agreed()

    def _stop(self, runner, place: str, iteration: int) -> None:
        if self._saved_iter != iteration:
            self._refuse_diverged(runner)
            if self.by_epoch:
                self._save(
                    runner,
                    INTERRUPTED,
                    dict(epoch=runner.epoch, iter=iteration),
                    by_epoch=False,
                    with_state=True,
                )
            else:
                self._save_checkpoint_with_step(runner, iteration, dict(epoch=runner.epoch, iter=iteration))
        raise TrainingStopped(
            f'SIGTERM: stopped {place}; the state is in {self.last_ckpt}. To go on, start the same command '
            'with --resume (without a path)'
        )

    def _refuse_diverged(self, runner) -> None:
        """Checks that the losses of all processes since the last check are finite, and not all 0 as before.

        Each process calls it at the same steps.
        """
        unchecked, self._losses = self._losses, []
        rows = [
            torch.stack([value.float().abs().sum() for value in losses.values()]).sum()
            for _, losses in unchecked
            if losses
        ]
        steps = [(step, losses) for step, losses in unchecked if losses]
        bad = (
            ~torch.isfinite(torch.stack(rows))
            if rows
            else torch.zeros(1, dtype=torch.bool, device=self._device(runner))
        )
        # One number for all processes, so that all of them stop and none waits for the others.
        anywhere = bad.any().float()
        if get_world_size() > 1:
            all_reduce(anywhere, 'max')
        if not anywhere:
            self._refuse_idle(runner, rows)
            return
        text = 'in another process'
        if bad.any():
            step, losses = steps[int(bad.float().argmax())]
            text = f'at iteration {step + 1}: ' + ', '.join(
                f'{name} {float(value.float().sum()):g}' for name, value in losses.items()
            )
        kept = (
            f'The last checkpoint is {self.last_ckpt}' if self.last_ckpt else 'No checkpoint was written yet'
        )
        raise DivergedError(
            f'the loss is not finite {text}. Training stops, and nothing is written over. {kept}. Lower '
            'optim_wrapper.optimizer.lr, '
            'clip gradients (optim_wrapper.clip_grad=dict(max_norm=1)), or look for damaged clips with '
            'tools/misc/verify_dataset.py'
        )

    def _refuse_idle(self, runner, losses: List[torch.Tensor]) -> None:
        """Refuses to go on after ten steps, or an epoch, in which every loss was exactly 0."""
        # A recogniser that is resumed may know its clips so well that its loss is rounded to 0.
        if self._idle_steps is None or runner._resume or not losses:
            return
        most = torch.stack(losses).max()
        if get_world_size() > 1:
            all_reduce(most, 'max')
        self._idle_steps = None if most else self._idle_steps + len(losses)
        if self._idle_steps and self._idle_steps >= min(CHECK_EVERY, len(runner.train_dataloader)):
            raise UserRuntimeError(
                f'every loss was exactly 0 in the first {self._idle_steps} steps, so nothing is learned. In '
                'pre-training: the mask chooses no token (its ratio), the clips have no hand, or all scores '
                'lie below loss_rec.eps. tools/visualization/browse_dataset.py shows the clips'
            )

    @staticmethod
    def _device(runner) -> torch.device:
        return next(runner.model.parameters()).device

    def after_val_epoch(self, runner, metrics: Optional[Dict[str, float]] = None) -> None:
        # ``before_train`` sets it.
        if hasattr(self, 'file_backend'):
            self._refuse_diverged(runner)
            wanted = self.key_indicators if self.save_best else []
            unknown = [key for key in wanted if key != 'auto' and key not in (metrics or {})]
            if unknown:
                raise ConfigError(
                    f'config: default_hooks.checkpoint.save_best={unknown[0]!r}: the validation gives no '
                    f'such figure. {did_you_mean(unknown[0], metrics or {})}'
                )
            super().after_val_epoch(runner, metrics)

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        """Saves as mmengine does, in the order that loses nothing: save, point to it, remove the oldest."""
        self._refuse_diverged(runner)
        if self.max_keep_ckpts > 0 and (not self.keep_ckpt_ids or self.keep_ckpt_ids[-1] != step):
            # The saved list still holds the one to be removed. After a kill in between, ``before_train`` of
            # the resumed run removes it.
            kept = [*self.keep_ckpt_ids, step]
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        else:
            kept = []
        self._save(runner, self.filename_tmpl.format(step), meta, self.by_epoch)
        interrupted = self.file_backend.join_path(self.out_dir, INTERRUPTED)
        if is_main_process() and self.file_backend.isfile(interrupted):
            self.file_backend.remove(interrupted)
        for old in kept[: -self.max_keep_ckpts] if kept else []:
            path = self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old))
            if is_main_process() and self.file_backend.isfile(path):
                self.file_backend.remove(path)
        if kept:
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept[-self.max_keep_ckpts :])
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

    def _save(self, runner, filename: str, meta: dict, by_epoch: bool, with_state: bool = False) -> None:
        """Writes a checkpoint and points to it.

        ``with_state`` keeps the optimizer's and the schedules' state whatever the hook's arguments say.
        """
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            self.file_client_args,
            save_optimizer=self.save_optimizer or with_state,
            save_param_scheduler=self.save_param_scheduler or with_state,
            meta=meta,
            by_epoch=by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_atomic(self.last_ckpt.encode(), osp.join(runner.work_dir, 'last_checkpoint'))
        self._saved_iter = meta['iter']

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not hasattr(self.file_backend, 'removing_last'):
            print_log(
                'backend_args names another file backend: the best checkpoint is not replaced atomically',
                logger='current',
                level=logging.WARNING,
            )
            super()._save_best_checkpoint(runner, metrics)
            return
        # mmengine removes the previous best before it saves the new one. This backend delays the removal.
        with self.file_backend.removing_last():
            super()._save_best_checkpoint(runner, metrics)
