"""Checkpoints that a kill cannot spoil and that load without executing anything."""

import inspect
import logging
import os
import os.path as osp
from typing import Any, Dict, Optional

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.utils import get_git_hash

from ...registry import HOOKS
from ...version import __version__
from ..checkpoint_io import (
    ATOMIC_BACKEND,
    find_last_whole_checkpoint,
    pack_message_hub,
    remove_leftovers,
    to_plain,
    unpack_message_hub,
    write_atomic,
)
from ..runner.config import ConfigError, did_you_mean
from ..runner.train_loop import ResumableTrainLoop


def package_git_hash() -> str:
    """The short commit hash of the checkout this package runs from, or ''."""
    folder = osp.dirname(osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__)))))
    if not osp.exists(osp.join(folder, '.git')):
        return ''
    here = os.getcwd()
    try:
        os.chdir(folder)  # mmengine's helper asks git about the working directory
        return get_git_hash(fallback='', digits=8)
    finally:
        os.chdir(here)


def dataset_facts(dataset: Any) -> Dict[str, Any]:
    """``glosses`` (list of str), ``layout`` (str), ``extractor`` (list of str), ``fps`` (float) of a data set, as far as ``metainfo`` or attributes
    state them."""
    while not hasattr(dataset, 'metainfo') and not hasattr(dataset, 'glosses') and hasattr(dataset, 'dataset'):
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

    - A checkpoint and ``last_checkpoint`` are written beside, synced and renamed; older ones (``max_keep_ckpts``, the last best) are removed only
      after that. A kill or a full disk at any moment leaves the previous checkpoint whole.
    - The file holds tensors and plain values only, so it loads with ``weights_only=True`` (mmengine #1655): the message hub as arrays.
    - ``meta`` also holds the package version, its git hash, the training data's glosses, layout, extractors and frame rate, and the place in the
      epoch.
    - ``resume=True`` without a path goes on from the last whole checkpoint of the work folder; ``resume='auto'`` too where ``load_from`` is given,
      which starts the run if there is none (mmengine's tools drop it then, and train from scratch).
    - ``by_epoch=False`` with :class:`ResumableTrainLoop`: resuming goes on in the middle of the epoch.
    - ``runner.val()`` without training keeps no best checkpoint: it changes no weights (mmengine's hook fails there with ``save_best``).
    """

    def __init__(self, *args: Any, backend_args: Optional[dict] = None, **kwargs: Any) -> None:
        known = [name for name in inspect.signature(CheckpointHook).parameters if name != 'kwargs']
        for name in kwargs:
            if name not in known:  # mmengine would keep it until the first save, and fail there
                raise ConfigError(f'config: {type(self).__name__} has no argument {name!r}. {did_you_mean(name, known)}')
        super().__init__(*args, backend_args=backend_args or dict(backend=ATOMIC_BACKEND), **kwargs)

    def before_run(self, runner) -> None:
        """Choose the checkpoint to resume from; mmengine loads it after this."""
        if runner._resume == 'auto' or (runner._resume and runner._load_from is None):
            out_dir = osp.join(self.out_dir, osp.basename(runner.work_dir.rstrip(osp.sep))) if self.out_dir else None
            found = find_last_whole_checkpoint(runner.work_dir, out_dir)
            if found is None:
                start = f'the weights of {runner._load_from}' if runner._load_from else 'the beginning'
                runner.logger.info(f'Nothing to resume in {runner.work_dir}: training starts from {start}.')
            runner._load_from = found or runner._load_from
            runner._resume = found is not None

    def before_train(self, runner) -> None:
        super().before_train(runner)
        os.makedirs(self.out_dir, exist_ok=True)
        if is_main_process():
            remove_leftovers(self.out_dir)
        every = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if every > 1 and (self.interval if not self.by_epoch else len(runner.train_dataloader)) % every:
            runner.logger.warning(
                f'Some checkpoints fall between two steps of the optimizer (accumulative_counts={every}); a run resumed from one lacks the gradients '
                'gathered until then. Choose an interval, or a number of batches in the epoch, that is a multiple of it.'
            )
        if not self.by_epoch and not isinstance(runner.train_loop, ResumableTrainLoop):
            runner.logger.warning(
                'Checkpoints in the middle of an epoch resume exactly only with train_cfg=dict(type="ResumableTrainLoop", max_epochs=...); '
                f'this run uses {type(runner.train_loop).__name__}.'
            )

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add the facts that loading checks, and turn everything but the weights into plain values."""
        meta = checkpoint['meta']
        meta.update(signbert_mm_version=__version__, signbert_mm_git=package_git_hash(), **dataset_facts(runner.train_dataloader.dataset))
        loop = runner.train_loop
        if isinstance(loop, ResumableTrainLoop):
            meta['progress'] = loop.progress(epoch=meta['epoch'], iteration=meta['iter'])
        for key in list(checkpoint):
            if key == 'message_hub':
                checkpoint[key] = pack_message_hub(checkpoint[key])
            elif key not in ('state_dict', 'ema_state_dict'):
                checkpoint[key] = to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = unpack_message_hub(checkpoint['message_hub'])
        if runner._resume and isinstance(runner.train_loop, ResumableTrainLoop):
            runner.train_loop.check_progress(checkpoint['meta'].get('progress'), str(runner._load_from))

    def after_val_epoch(self, runner, metrics: Optional[Dict[str, float]] = None) -> None:
        if hasattr(self, 'file_backend'):  # ``before_train`` makes it
            super().after_val_epoch(runner, metrics)

    def _save_checkpoint_with_step(self, runner, step: int, meta: dict) -> None:
        """As mmengine's, in the order that loses nothing: save, point to it, and only then remove the oldest."""
        if self.max_keep_ckpts > 0 and (not self.keep_ckpt_ids or self.keep_ckpt_ids[-1] != step):
            # The saved list still holds the one to be removed: after a kill in between, ``before_train`` of the resumed run removes it.
            kept = [*self.keep_ckpt_ids, step]
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        else:
            kept = []
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            filename,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_atomic(self.last_ckpt.encode(), osp.join(runner.work_dir, 'last_checkpoint'))
        for old in kept[: -self.max_keep_ckpts] if kept else []:
            path = self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old))
            if is_main_process() and self.file_backend.isfile(path):
                self.file_backend.remove(path)
        if kept:
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept[-self.max_keep_ckpts :])
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not hasattr(self.file_backend, 'removing_last'):
            print_log(
                'backend_args names another file backend: the best checkpoint is not replaced atomically', logger='current', level=logging.WARNING
            )
            super()._save_best_checkpoint(runner, metrics)
            return
        with self.file_backend.removing_last():
            super()._save_best_checkpoint(runner, metrics)
