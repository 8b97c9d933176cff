"""A test without any training: the nearest clip of a pool, by the labels that a few of its clips spread."""

import os
from typing import Any, Optional, Tuple, Union

import torch
from mmengine.evaluator import Evaluator
from torch import Tensor
from torch.utils.data import DataLoader

from signbert_mm.engine.runner import KNNTestLoop
from signbert_mm.errors import ConfigError
from signbert_mm.evaluation.knn import extract_features, knn_scores
from signbert_mm.registry import DATASETS, LOOPS

from .propagation import propagate_labels


@LOOPS.register_module()
class PropagationTestLoop(KNNTestLoop):
    """:class:`KNNTestLoop` with one neighbour among the clips of a pool that :func:`propagate_labels` labels.

    Args:
        runner, dataloader, evaluator: As mmengine's ``TestLoop``.
        gallery (dict | DataLoader): The pool. Its own labels are not read.
        labelled (dict): Config of the data set of its labelled clips, as a rule the pool's with ``few_shot``.
        segments (int): Parts of a clip, whose mean tokens stand side by side.
        background (str, optional): The gloss that stands for no sign. That it does is knowledge beside the
            labels.
        **propagation: The other arguments of :func:`propagate_labels`.

    Raises:
        ConfigError: In the test, where labelled clips are not clips of the pool.
    """

    def __init__(
        self,
        runner,
        dataloader: Union[DataLoader, dict],
        evaluator: Union[Evaluator, dict, list],
        gallery: Union[DataLoader, dict],
        labelled: dict,
        segments: int = 2,
        background: Optional[str] = None,
        **propagation: Any,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, gallery, k=1)
        self.labelled, self.segments = DATASETS.build(labelled), segments
        self.background, self.propagation = background, propagation

    def scores(self) -> Tuple[Tensor, Tensor]:
        """Votes (N, classes) and labels (N,) of the clips to recognise."""
        pool, glosses = self.gallery.dataset, self.gallery.dataset.metainfo['glosses']
        vectors, _ = extract_features(self.runner.model, self.gallery, self.segments)
        queries, truth = extract_features(self.runner.model, self.dataloader, self.segments)
        place = {int(clip): index for index, clip in enumerate(pool.clips)}
        # The same number is another clip in another store.
        one_store = os.path.realpath(self.labelled.store.folder) == os.path.realpath(pool.store.folder)
        outside = sum(not one_store or int(clip) not in place for clip in self.labelled.clips)
        if outside:
            raise ConfigError(
                f'test_cfg.labelled: {outside} of its {len(self.labelled.clips)} clips are not in the pool, '
                'test_cfg.gallery; give both one store, and splits of the gallery to labelled'
            )
        known = torch.full((len(vectors),), -1)
        for clip, label in zip(self.labelled.clips, self.labelled.labels):
            known[place[int(clip)]] = int(label)
        background = None if self.background is None else glosses.index(self.background)
        labels = propagate_labels(vectors, known, len(glosses), background=background, **self.propagation)
        used = labels >= 0
        return knn_scores(vectors[used], labels[used], queries, len(glosses), self.k, self.temperature), truth
