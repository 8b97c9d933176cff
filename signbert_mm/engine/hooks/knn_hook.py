"""Accuracy of nearest neighbours while a representation is learnt."""

from typing import Union

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...errors import UserValueError
from ...evaluation.coverage import coverage_text
from ...evaluation.knn import check_gallery, extract_features, knn_accuracy
from ...registry import HOOKS


@HOOKS.register_module()
class KNNHook(Hook):
    """kNN on labelled clips during training, logged as ``knn/top1``, ``knn/top5`` and ``knn/per_class_top1``.

    It runs once before the first epoch and then every ``interval`` epochs. Labels are for measurement alone
    and never reach the training. ``gallery`` and ``query`` use the test pipeline of the model's data
    preprocessor. Never choose anything by a test split: use a split of the training signers, or a validation
    split.

    Args:
        gallery (dict): A data loader config of the clips whose labels vote; of the label map of ``query``.
        query (dict): A data loader config of the clips to recognise.
        interval (int): Epochs between two measurements. The last epoch is always measured.
        k (int): See :func:`knn_accuracy`.
        temperature (float): See there.

    Raises:
        ConfigError: Before training: as :func:`check_gallery`.
        ValueError: ``interval`` is below 1.
    """

    priority = 'LOW'

    def __init__(
        self, gallery: dict, query: dict, interval: int = 1, k: int = 20, temperature: float = 0.07
    ) -> None:
        if interval < 1:
            raise UserValueError(f'KNNHook: interval must be at least 1, got {interval}')
        self.gallery, self.query = gallery, query
        self.interval, self.k, self.temperature = interval, k, temperature

    def before_train(self, runner: Runner) -> None:
        self.gallery, self.query = (self._loader(runner, loader) for loader in (self.gallery, self.query))
        check_gallery(self.gallery, self.query, 'KNNHook.gallery', 'KNNHook.query')
        # A resumed run has this figure already.
        if runner.iter == 0:
            self.measure(runner, 0)

    def after_train_epoch(self, runner: Runner) -> None:
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            self.measure(runner, runner.epoch + 1)

    @staticmethod
    def _loader(runner: Runner, loader: Union[dict, DataLoader]) -> DataLoader:
        return runner.build_dataloader(loader, seed=runner.seed) if isinstance(loader, dict) else loader

    def measure(self, runner: Runner, epoch: int) -> None:
        """Measures the accuracy and logs it."""
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
