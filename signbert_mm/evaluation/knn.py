"""Weighted k nearest neighbours: the quality of a representation, measured without training."""

import logging
import os
from typing import Dict, Optional, Set, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dist import all_gather_object
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..errors import ConfigError, UserTypeError, UserValueError
from ..models.attention_pool import pool_segments
from ..models.statistics import share_statistics
from .metrics.sign_accuracy import target_ranks


def check_gallery(gallery: DataLoader, queries: DataLoader, gallery_name: str, queries_name: str) -> None:
    """Checks that the labels of a gallery are those of the queries, and that no clip votes for itself.

    Args:
        gallery (DataLoader): The clips whose labels vote.
        queries (DataLoader): The clips to recognise.
        gallery_name, queries_name (str): Their keys in the config, for messages.

    Raises:
        ConfigError: The gallery has other glosses than the queries, or holds some of their clips.
    """
    maps = [list(loader.dataset.metainfo['glosses']) for loader in (gallery, queries)]
    if maps[0] != maps[1]:
        raise ConfigError(
            f'{gallery_name} ({len(maps[0])} glosses) and {queries_name} ({len(maps[1])}) have other label '
            'maps; give both the same'
        )
    shared = sorted(_clips(gallery.dataset) & _clips(queries.dataset))
    if shared:
        raise ConfigError(
            f'{gallery_name} holds {len(shared)} clips of {queries_name} ({shared[0][0]}); give them '
            'different splits'
        )


def _clips(dataset: Dataset) -> Set[Tuple[str, int]]:
    """The clips of a data set, each with the folder of its store."""
    # A concatenation has them in parts.
    parts = getattr(dataset, 'parts', ()) or (dataset,)
    return {
        (os.path.realpath(part.store.folder), clip)
        for part in parts
        if hasattr(part, 'store')
        for clip in part.clips.tolist()
    }


@torch.no_grad()
def extract_features(model: nn.Module, loader: DataLoader, segments: int = 0) -> Tuple[Tensor, Tensor]:
    """Computes the features of every clip of a data set, in order of the clips' indices.

    The result does not depend on the number of processes.

    Args:
        model (Module): It has ``data_preprocessor`` and ``extract_features(inputs) -> (B, D)``. Its training
            mode is restored afterwards.
        loader (DataLoader): Gives every clip at least once over all processes.
        segments (int): Use the mean tokens of ``segments`` parts of a clip, side by side
            (``extract_tokens``); 0 = the model's ``extract_features``.

    Returns:
        tuple[Tensor, Tensor]: Features (N, D) float32 and labels (N,) int64, on the CPU.

    Raises:
        TypeError: The model has no such method.
        ValueError: Clips are missing, or features are not finite.
    """
    model = model.module if is_model_wrapper(model) else model
    needed = 'extract_tokens' if segments else 'extract_features'
    if not hasattr(model, needed):
        raise UserTypeError(
            f'{type(model).__name__} has no {needed}(inputs), so there is nothing whose '
            'neighbours could be looked for'
        )
    # Frozen parts stay in evaluation mode while others train, so each module's mode is kept.
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    share_statistics(model)
    by_index: Dict[int, Tuple[np.ndarray, int]] = {}
    rows = []
    for data in loader:
        inputs = model.data_preprocessor(data, False)['inputs']
        features = (
            pool_segments(*model.extract_tokens(inputs), inputs['length'], segments)
            if segments
            else model.extract_features(inputs)
        )
        rows.append((features.float().cpu(), inputs['index'].cpu(), inputs['label'].cpu()))
    for name, module in model.named_modules():
        module.training = modes[name]
    # A sampler repeats clips to fill up the last batch, and ranks return them in turns: index them.
    mine = tuple(torch.cat(part).numpy() for part in zip(*rows))
    for features, index, label in all_gather_object(mine):
        by_index.update(
            {int(position): (row, int(name)) for row, position, name in zip(features, index, label)}
        )
    if len(by_index) != len(loader.dataset):
        raise UserValueError(
            f'kNN: features of {len(by_index)} clips, but the data set has {len(loader.dataset)}; '
            'its loader must give each clip'
        )
    features = torch.from_numpy(np.stack([by_index[position][0] for position in sorted(by_index)]))
    if not features.isfinite().all():
        raise UserValueError(f'kNN: {type(model).__name__} gives features that are not finite')
    return features, torch.tensor([by_index[position][1] for position in sorted(by_index)])


def knn_scores(
    gallery: Tensor, labels: Tensor, queries: Tensor, num_classes: int, k: int = 20, temperature: float = 0.07
) -> Tensor:
    """Votes of the k nearest clips of the gallery by cosine similarity.

    A vote has the weight exp(cosine / temperature). Of equally near clips the earlier one counts. Weighting,
    k and temperature are not given in the paper.

    Args:
        gallery (Tensor): Shape (N, D).
        labels (Tensor): Shape (N,) int64 in 0 .. num_classes - 1.
        queries (Tensor): Shape (M, D).
        num_classes (int): Number of classes.
        k (int): Number of neighbours, at most N.
        temperature (float): Temperature of the weights.

    Returns:
        Tensor: Shape (M, num_classes) float64, up to a factor for each query. 0 = none of the k neighbours is
            of that class; other values are positive.

    Raises:
        ValueError: k is not in 1 .. N, ``temperature`` is not above 0, or a clip has no label.
    """
    if not 1 <= k <= len(gallery):
        raise UserValueError(f'kNN: k must be from 1 to the {len(gallery)} clips of the gallery, got {k}')
    if not 0 < temperature < float('inf'):
        raise UserValueError(f'kNN: temperature must be a number above 0, got {temperature}')
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise UserValueError(
            f'kNN: labels of the gallery reach from {int(labels.min())} to {int(labels.max())}, '
            f'need 0 .. {num_classes - 1}'
        )
    gallery, scores = F.normalize(gallery, dim=-1), []
    # In parts: the (M, N) similarities of a large data set would not fit into memory.
    for part in F.normalize(queries, dim=-1).split(1024):
        near, position = (part @ gallery.t()).sort(dim=1, descending=True, stable=True)
        # With the best similarity subtracted exp cannot overflow. The clamp keeps far votes above 0, since 0
        # means no vote.
        weight = (
            ((near[:, :k] - near[:, :1]).double() / temperature)
            .exp()
            .clamp(min=torch.finfo(torch.float64).tiny)
        )
        scores.append(
            weight.new_zeros(len(part), num_classes).scatter_add_(1, labels[position[:, :k]], weight)
        )
    return torch.cat(scores)


def knn_accuracy(
    gallery: Tuple[Tensor, Tensor],
    queries: Tuple[Tensor, Tensor],
    num_classes: Optional[int] = None,
    k: int = 20,
    temperature: float = 0.07,
) -> Dict[str, float]:
    """Accuracy of :func:`knn_scores` in percent.

    ``top1`` and ``top5`` are over clips (P-I), ``per_class_top1`` over classes (P-C). A class without a vote
    is never among the five: with k = 1, top-5 equals top-1.

    Args:
        gallery (tuple[Tensor, Tensor]): Features (N, D) and labels (N,) of :func:`extract_features`.
        queries (tuple[Tensor, Tensor]): Likewise.
        num_classes (int, optional): Number of classes; None = the largest label + 1.
        k (int): Number of neighbours.
        temperature (float): Temperature of their weights.

    Raises:
        ValueError: As :func:`knn_scores`; or a query has no label.
    """
    labels = queries[1]
    num_classes = 1 + int(max(gallery[1].max(), labels.max())) if num_classes is None else num_classes
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise UserValueError(
            f'kNN: labels of the queries reach from {int(labels.min())} to {int(labels.max())}, '
            f'need 0 .. {num_classes - 1}'
        )
    absent = len(set(labels.tolist()) - set(gallery[1].tolist()))
    if absent:
        print_log(
            f'kNN: {absent} classes of the queries have no clip in the gallery; they count as wrong',
            logger='current',
            level=logging.WARNING,
        )
    scores = knn_scores(*gallery, queries[0], num_classes, k, temperature)
    ranks = target_ranks(scores, labels, scores > 0)
    right = (ranks < 1).double()
    count = torch.bincount(labels, minlength=num_classes)
    # Classes without a query are left out of the mean over classes.
    per_class = (
        torch.zeros(num_classes, dtype=torch.float64).scatter_add_(0, labels, right)[count > 0]
        / count[count > 0]
    )
    metrics = dict(top1=right.mean(), top5=(ranks < 5).double().mean(), per_class_top1=per_class.mean())
    return {name: 100 * float(value) for name, value in metrics.items()}
