"""Self-training: the model's own representation labels clips that have no label."""

from typing import Optional, Sequence

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from ...datasets.pseudo_label_dataset import PseudoLabelDataset
from ...evaluation.label_propagation import propagate_labels
from ...models.attention_pool import pool_segments
from ...registry import HOOKS
from ..runner.config import ConfigError

KEY = 'pseudo_labels'


@HOOKS.register_module()
class PseudoLabelHook(Hook):
    """Labels the unlabelled clips of a :class:`PseudoLabelDataset` by label propagation over the encoder's features (not in the papers).

    Labels of the unlabelled clips are not known to it; the features are the mean tokens of ``segments`` parts of a clip, as in the dictionary of
    signs. Before the first epoch they are the pre-trained encoder's. The checkpoint keeps the labels given, so that a resumed run goes on with them.
    In a distributed run every process computes the same labels.

    Args:
        epochs (Sequence[int]): Before which epochs, counted from 0; 0 must be among them.
        segments (int): Parts of a clip.
        batch_size (int): Clips the encoder sees at a time.
        **propagation: ``k``, ``temperature``, ``alpha`` and ``steps`` of :func:`propagate_labels`.

    Raises:
        ConfigError: The training data set or the model is of another kind.
    """

    priority = 'LOW'  # after EpochSeedHook has told the data set its epoch

    def __init__(self, epochs: Sequence[int] = (0,), segments: int = 2, batch_size: int = 64, **propagation: float) -> None:
        if 0 not in epochs:
            raise ValueError(f'PseudoLabelHook: epochs must have 0 among them, got {list(epochs)}')
        self.epochs, self.segments, self.batch_size, self.propagation = set(epochs), segments, batch_size, propagation
        self._given: Optional[dict] = None

    @staticmethod
    def _dataset(runner: Runner) -> PseudoLabelDataset:
        dataset = runner.train_loop.dataloader.dataset
        if not isinstance(dataset, PseudoLabelDataset):
            raise ConfigError(f'PseudoLabelHook: train_dataloader.dataset must be a PseudoLabelDataset, it is a {type(dataset).__name__}')
        return dataset

    def before_train(self, runner: Runner) -> None:
        if self._given is not None:  # a resumed run
            self._dataset(runner).set_pseudo_labels(self._given['labels'], self._given['confidence'])

    def before_train_epoch(self, runner: Runner) -> None:
        dataset = self._dataset(runner)
        within = runner.iter > runner.epoch * len(runner.train_loop.dataloader)  # resumed in the middle of it
        if runner.epoch not in self.epochs or (within and self._given is not None):
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        features = self.features(model, dataset)
        labels, confidence = propagate_labels(features, dataset.known_labels, len(dataset.glosses), **self.propagation)
        begin = len(dataset.labelled)
        self._given = dict(labels=labels[begin:], confidence=confidence[begin:])
        used = dataset.set_pseudo_labels(**self._given)
        runner.logger.info(f'Epoch {runner.epoch}: {used} of {len(dataset.unlabelled)} unlabelled clips are learnt from, by the labels of {begin}')

    @torch.no_grad()
    def features(self, model: nn.Module, dataset: PseudoLabelDataset) -> Tensor:
        """Shape (clips of ``dataset.clean``, D), on the CPU."""
        if not hasattr(model, 'extract_tokens'):
            raise ConfigError(f'PseudoLabelHook: {type(model).__name__} has no extract_tokens(inputs); it needs a SignRecognizer')
        was_training = model.training
        model.eval()
        rows = []
        for places in torch.arange(len(dataset.clean)).split(self.batch_size):
            inputs = model.data_preprocessor(dataset.clean.__getitems__(places.tolist()), False)['inputs']
            tokens, valid = model.extract_tokens(inputs)
            rows.append(pool_segments(tokens, valid, inputs['length'], self.segments).cpu())
        model.train(was_training)
        return torch.cat(rows)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if self._given is not None:
            checkpoint[KEY] = self._given

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if runner._resume:  # a checkpoint to start from has labels of another run
            self._given = checkpoint.get(KEY)
