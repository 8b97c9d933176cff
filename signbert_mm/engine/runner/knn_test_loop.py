"""A test without training: nearest neighbours among labelled clips."""

from typing import Dict, Tuple, Union

from mmengine.dist import get_rank, get_world_size
from mmengine.evaluator import Evaluator
from mmengine.runner import TestLoop
from torch import Tensor
from torch.utils.data import DataLoader

from ...evaluation.knn import check_gallery, extract_features, knn_scores
from ...registry import LOOPS
from ...structures import SignDataSample


@LOOPS.register_module()
class KNNTestLoop(TestLoop):
    """Weighted kNN of the model's features in place of a classifier.

    The votes go to the evaluator as class scores. ``pred_candidates`` marks the classes with votes. No other
    class counts, so that top-5 over few neighbours is not filled up with classes of none of them.

    A pre-training is so tested by the metric of a recogniser (:class:`SignAccuracy`)::

        # The clips to recognise, and those whose labels vote.
        test_dataloader = dict(.., dataset=dict(.., split='test'))
        test_cfg = dict(type='KNNTestLoop', gallery=dict(.., dataset=dict(.., split='train')))
        test_evaluator = dict(type='SignAccuracy')

    Args:
        runner, dataloader, evaluator: As mmengine's ``TestLoop``.
        gallery (dict | DataLoader): The clips that vote; of the label map of ``dataloader``.
        k (int): Neighbours, see :func:`knn_scores`; not given in the paper.
        temperature (float): Of their weights.

    Raises:
        ConfigError: The gallery has other glosses than the clips to recognise, or holds some of those clips.
    """

    def __init__(
        self,
        runner,
        dataloader: Union[DataLoader, dict],
        evaluator: Union[Evaluator, dict, list],
        gallery: Union[DataLoader, dict],
        k: int = 20,
        temperature: float = 0.07,
    ) -> None:
        super().__init__(runner, dataloader, evaluator)
        self.gallery = (
            runner.build_dataloader(gallery, seed=runner.seed) if isinstance(gallery, dict) else gallery
        )
        self.k, self.temperature = k, temperature
        check_gallery(self.gallery, self.dataloader, 'test_cfg.gallery', 'test_dataloader')

    def scores(self) -> Tuple[Tensor, Tensor]:
        """Votes (N, classes), as :func:`knn_scores`, and labels (N,) of the clips to recognise."""
        gallery, labels = extract_features(self.runner.model, self.gallery)
        queries, truth = extract_features(self.runner.model, self.dataloader)
        classes = len(self.gallery.dataset.metainfo['glosses'])
        return knn_scores(gallery, labels, queries, classes, self.k, self.temperature), truth

    def run(self) -> Dict[str, float]:
        """Runs the test and returns its metrics."""
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        scores, truth = self.scores()
        # Each process has the features of all clips, and evaluates the share that a sampler would give it.
        own = range(get_rank(), len(truth), get_world_size())
        samples = [
            SignDataSample(sample_idx=index, pred_candidates=scores[index] > 0)
            .set_gt_label(truth[index])
            .set_pred_scores(scores[index])
            for index in own
        ]
        self.evaluator.process(data_samples=samples, data_batch=None)
        metrics = self.evaluator.evaluate(len(truth))
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics
