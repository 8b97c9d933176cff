"""Self-training: the model's own representation labels clips that have no label."""

from typing import Optional, Sequence, Union

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from signbert_mm.datasets import collate_poses
from signbert_mm.engine.runner import ConfigError, ResumableTrainLoop
from signbert_mm.errors import UserValueError
from signbert_mm.evaluation import extract_features
from signbert_mm.registry import HOOKS

from .propagation import propagate_labels
from .pseudo_label_dataset import PseudoLabelDataset

KEY = 'pseudo_labels'


@HOOKS.register_module()
class PseudoLabelHook(Hook):
    """Labels the unlabelled clips of a :class:`PseudoLabelDataset` by label propagation over features.

    Not in the papers.

    The store's labels of the unlabelled clips are never read. A clip's features are the mean tokens of
    its ``segments`` parts, as in the dictionary of signs. Before the first epoch they are the pre-trained
    encoder's. The checkpoint keeps the pseudo labels, so that a resumed run continues with them. In a
    distributed run every process computes the same labels.

    Args:
        epochs (Sequence[int]): Before which epochs, counted from 0; 0 must be among them.
        segments (int): Parts of a clip.
        batch_size (int): Clips the encoder sees at a time.
        background (str, optional): The gloss that stands for no sign, see :func:`propagate_labels`. Naming it
            adds knowledge that is not in the labels.
        **propagation: The other arguments of :func:`propagate_labels`.

    Raises:
        ConfigError: The training data set is of another kind, or it has no such gloss.
    """

    # After EpochSeedHook, which passes the epoch to the data set in mmengine's own loops.
    priority = 'LOW'

    def __init__(
        self,
        epochs: Sequence[int] = (0,),
        segments: int = 2,
        batch_size: int = 64,
        background: Optional[str] = None,
        **propagation: Union[int, float],
    ) -> None:
        if 0 not in epochs:
            raise UserValueError(f'PseudoLabelHook: epochs must have 0 among them, got {list(epochs)}')
        self.epochs, self.segments, self.batch_size = set(epochs), segments, batch_size
        self.background, self.propagation = background, propagation
        self._labels: Optional[Tensor] = None

    @staticmethod
    def _dataset(runner: Runner) -> PseudoLabelDataset:
        dataset = runner.train_loop.dataloader.dataset
        if not isinstance(dataset, PseudoLabelDataset):
            raise ConfigError(
                'PseudoLabelHook: train_dataloader.dataset must be a PseudoLabelDataset, it '
                f'is a {type(dataset).__name__}'
            )
        return dataset

    def before_train(self, runner: Runner) -> None:
        dataset = self._dataset(runner)
        if self.background is not None and self.background not in dataset.glosses:
            raise ConfigError(
                f'PseudoLabelHook: background={self.background!r} is no gloss of '
                f'{dataset.labelled.store.folder}'
            )
        # The run was resumed, and the checkpoint had labels.
        if self._labels is not None:
            dataset.set_pseudo_labels(self._labels)

    def before_train_epoch(self, runner: Runner) -> None:
        loop = runner.train_loop
        done = (
            loop.batches_done
            if isinstance(loop, ResumableTrainLoop)
            else runner.iter - runner.epoch * len(loop.dataloader)
        )
        # A run resumed in the middle of an epoch keeps the labels that the epoch began with.
        mid_epoch = done > 0
        if runner.epoch not in self.epochs or (mid_epoch and self._labels is not None):
            return
        dataset = self._dataset(runner)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        features, _ = extract_features(
            model, DataLoader(dataset.clean, self.batch_size, collate_fn=collate_poses), self.segments
        )
        background = None if self.background is None else dataset.glosses.index(self.background)
        labels = propagate_labels(
            features, dataset.known_labels, len(dataset.glosses), background=background, **self.propagation
        )
        # Labelled clips come first.
        self._labels = labels[len(dataset.labelled) :].clone()
        used = dataset.set_pseudo_labels(self._labels)
        runner.logger.info(
            f'Epoch {runner.epoch + 1}: {used} of {len(dataset.unlabelled)} unlabelled clips got a label'
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if self._labels is not None:
            checkpoint[KEY] = self._labels

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        # ``load_from`` gives weights alone; its labels belong to another run.
        if runner._resume:
            self._labels = checkpoint.get(KEY)
