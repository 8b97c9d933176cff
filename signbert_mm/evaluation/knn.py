"""How well a representation separates signs, measured without training: weighted k nearest neighbours."""

import logging
from typing import Dict, Optional, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dist import all_gather_object
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..errors import UserTypeError, UserValueError
from ..models.attention_pool import pool_segments
from .metrics.sign_accuracy import target_ranks


@torch.no_grad()
def extract_features(model: nn.Module, loader: DataLoader, segments: int = 0) -> Tuple[Tensor, Tensor]:
    """Features of every clip of a data set, each once and in order of its index, whatever the number of
    processes.

    Args:
        model (Module): Has ``data_preprocessor`` and ``extract_features(inputs) -> (B, D)``, as this
            project's models have; it is put into evaluation mode and back.
        loader (DataLoader): Every clip at least once over all processes.
        segments (int): The mean token of so many parts of a clip, side by side (``extract_tokens``); 0 = the
            model's ``extract_features``.

    Returns:
        tuple[Tensor, Tensor]: Features (N, D) float32 and labels (N,) int64, on the CPU.

    Raises:
        TypeError: The model gives no features.
        ValueError: Clips are missing, or features are not finite.
    """
    model = model.module if is_model_wrapper(model) else model
    needed = 'extract_tokens' if segments else 'extract_features'
    if not hasattr(model, needed):
        raise UserTypeError(
            f'{type(model).__name__} has no {needed}(inputs), so there is nothing whose '
            'neighbours could be looked for'
        )
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    found: Dict[int, Tuple[np.ndarray, int]] = {}
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
    mine = tuple(torch.cat(part).numpy() for part in zip(*rows))
    for features, index, label in all_gather_object(mine):
        found.update({int(place): (row, int(name)) for row, place, name in zip(features, index, label)})
    if len(found) != len(loader.dataset):
        raise UserValueError(
            f'kNN: features of {len(found)} clips, but the data set has {len(loader.dataset)}; '
            'its loader must give each clip'
        )
    features = torch.from_numpy(np.stack([found[place][0] for place in sorted(found)]))
    if not features.isfinite().all():
        raise UserValueError(f'kNN: {type(model).__name__} gives features that are not finite')
    return features, torch.tensor([found[place][1] for place in sorted(found)])


def knn_scores(
    gallery: Tensor, labels: Tensor, queries: Tensor, num_classes: int, k: int = 20, temperature: float = 0.07
) -> Tensor:
    """Votes of the k nearest clips of the gallery by cosine similarity, each with weight exp(cosine /
    temperature).

    Of equally near clips the earlier one counts. Weighting, k and temperature are not given in the paper.

    Args:
        gallery (Tensor): Shape (N, D).
        labels (Tensor): Shape (N,) int64 in 0 .. num_classes - 1.
        queries (Tensor): Shape (M, D).
        num_classes (int): Classes.
        k (int): Neighbours, at most N.
        temperature (float): Of the weights.

    Returns:
        Tensor: Shape (M, num_classes) float64, up to a factor for each query; 0 = none of the k is of that
            class, else positive.

    Raises:
        ValueError: k is not in 1 .. N, or a clip has no label.
    """
    if not 1 <= k <= len(gallery):
        raise UserValueError(f'kNN: k must be from 1 to the {len(gallery)} clips of the gallery, got {k}')
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise UserValueError(
            f'kNN: labels of the gallery reach from {int(labels.min())} to {int(labels.max())}, '
            f'need 0 .. {num_classes - 1}'
        )
    gallery, scores = F.normalize(gallery, dim=-1), []
    for part in F.normalize(queries, dim=-1).split(1024):  # the similarities of all at once would not fit
        near, place = (part @ gallery.t()).sort(dim=1, descending=True, stable=True)
        # a vote is never 0
        weight = (
            ((near[:, :k] - near[:, :1]).double() / temperature)
            .exp()
            .clamp(min=torch.finfo(torch.float64).tiny)
        )
        scores.append(weight.new_zeros(len(part), num_classes).scatter_add_(1, labels[place[:, :k]], weight))
    return torch.cat(scores)


def knn_accuracy(
    gallery: Tuple[Tensor, Tensor],
    queries: Tuple[Tensor, Tensor],
    num_classes: Optional[int] = None,
    k: int = 20,
    temperature: float = 0.07,
) -> Dict[str, float]:
    """Accuracy of :func:`knn_scores` in percent: ``top1``, ``top5`` over clips (P-I) and ``per_class_top1``
    over classes (P-C).

    A class without a vote is not among the five, however few were voted for: with k = 1, top-5 is top-1.

    Args:
        gallery (tuple[Tensor, Tensor]): Features (N, D) and labels (N,) as :func:`extract_features` gives
            them.
        queries (tuple[Tensor, Tensor]): Likewise.
        num_classes (int, optional): None = as many as the labels need.
        k (int): Neighbours.
        temperature (float): Of their weights.

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
    per_class = (
        torch.zeros(num_classes, dtype=torch.float64).scatter_add_(0, labels, right)[count > 0]
        / count[count > 0]
    )
    figures = dict(top1=right.mean(), top5=(ranks < 5).double().mean(), per_class_top1=per_class.mean())
    return {name: 100 * float(value) for name, value in figures.items()}
