"""Accuracy of nearest neighbours while a representation is learnt."""

from typing import Union

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...errors import UserValueError
from ...evaluation.coverage import coverage_text
from ...evaluation.knn import extract_features, knn_accuracy
from ...registry import HOOKS


@HOOKS.register_module()
class KNNHook(Hook):
    """Every so many epochs, and once before the first: kNN on labelled clips, logged as ``knn/top1``,
    ``knn/top5`` and ``knn/per_class_top1``.

    Labels are for measurement alone: nothing of it reaches the training. ``gallery`` and ``query`` take the
    test pipeline of the model's data preprocessor. Never choose anything by a test split: give a split of the
    training signers, or a validation split.

    Args:
        gallery (dict): A data loader config, clips whose labels vote.
        query (dict): Clips that are recognised.
        interval (int): Epochs between; the last epoch always.
        k (int): See :func:`knn_accuracy`.
        temperature (float): See there.
    """

    priority = 'LOW'

    def __init__(
        self, gallery: dict, query: dict, interval: int = 1, k: int = 20, temperature: float = 0.07
    ) -> None:
        if interval < 1:
            raise UserValueError(f'KNNHook: interval must be at least 1, got {interval}')
        self.gallery, self.query, self.interval, self.k, self.temperature = (
            gallery,
            query,
            interval,
            k,
            temperature,
        )

    def before_train(self, runner: Runner) -> None:
        self.gallery, self.query = (self._loader(runner, loader) for loader in (self.gallery, self.query))
        if runner.iter == 0:
            self.measure(runner, 0)

    def after_train_epoch(self, runner: Runner) -> None:
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            self.measure(runner, runner.epoch + 1)

    @staticmethod
    def _loader(runner: Runner, loader: Union[dict, DataLoader]) -> DataLoader:
        return runner.build_dataloader(loader, seed=runner.seed) if isinstance(loader, dict) else loader

    def measure(self, runner: Runner, epoch: int) -> None:
        """Measures and logs."""
        glosses = self.gallery.dataset.metainfo['glosses']
        features = [extract_features(runner.model, loader) for loader in (self.gallery, self.query)]
        figures = knn_accuracy(*features, num_classes=len(glosses), k=self.k, temperature=self.temperature)
        runner.logger.info(
            f'Epoch {epoch}: '
            + '  '.join(f'knn/{name}: {value:.2f}' for name, value in figures.items())
            + f'  ({len(features[1][1])} clips, {self.k} neighbours among {len(features[0][1])})'
        )
        coverage = coverage_text(self.query.dataset.metainfo)
        if coverage:
            runner.logger.info(f'Epoch {epoch}: kNN accuracy on {coverage}')
        runner.visualizer.add_scalars(
            {f'knn/{name}': value for name, value in figures.items()},
            step=epoch,
            file_path=f'{runner.timestamp}.json',
        )
