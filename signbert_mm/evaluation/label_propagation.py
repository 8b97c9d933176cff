"""Labels of a few clips, spread over clips without labels along the nearest neighbours of a representation."""

from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor


def neighbour_graph(features: Tensor, k: int, temperature: float) -> Tensor:
    """The symmetrically normalised graph of nearest neighbours, D^-1/2 W D^-1/2.

    Two clips are joined where one is among the k nearest of the other by cosine similarity, with W = exp((cosine - 1) / temperature).

    Args:
        features (Tensor): Shape (N, D).
        k (int): Neighbours, at least 1 and below N.
        temperature (float): Of the weights.

    Returns:
        Tensor: Sparse, shape (N, N), float64.

    Raises:
        ValueError: k is not in 1 .. N - 1.
    """
    count = len(features)
    if not 1 <= k < count:
        raise ValueError(f'label propagation: k must be from 1 to {count - 1}, one less than there are clips; got {k}')
    features = F.normalize(features.double(), dim=-1)
    pairs, near = [], []
    for begin in range(0, count, 1024):  # the similarities of all at once would not fit
        cosine = features[begin : begin + 1024] @ features.t()
        row = torch.arange(begin, begin + len(cosine), device=features.device)
        cosine[torch.arange(len(cosine)), row] = -2.0  # no clip is its own neighbour
        value, place = cosine.topk(k, dim=1)
        row = row[:, None].expand_as(place)
        pairs += [(row * count + place).flatten(), (place * count + row).flatten()]
        near += [value.flatten()] * 2
    pairs, inverse = torch.cat(pairs).unique(return_inverse=True)
    cosine = torch.full((len(pairs),), -1.0, dtype=torch.float64, device=features.device).scatter_reduce_(0, inverse, torch.cat(near), 'amax')
    weight = ((cosine - 1) / temperature).exp()
    row, column = pairs // count, pairs % count
    degree = torch.zeros_like(features[:, 0]).index_add_(0, row, weight).clamp(min=torch.finfo(torch.float64).tiny)
    weight = weight / (degree[row] * degree[column]).sqrt()
    return torch.sparse_coo_tensor(torch.stack([row, column]), weight, (count, count), check_invariants=True).coalesce()


def propagate_labels(
    features: Tensor, labels: Tensor, num_classes: int, k: int = 20, temperature: float = 0.02, alpha: float = 0.95, steps: int = 20
) -> Tuple[Tensor, Tensor]:
    """Label propagation (Zhou et al., Learning with Local and Global Consistency, 2004): F <- alpha S F + (1 - alpha) Y, from F = Y.

    Each class starts with the same mass, shared by its labelled clips. S is :func:`neighbour_graph`.

    Args:
        features (Tensor): Shape (N, D).
        labels (Tensor): Shape (N,) int64, -1 = none.
        num_classes (int): Classes.
        k (int): Neighbours; fewer where there are not so many clips.
        temperature (float): Of the graph's weights.
        alpha (float): In [0, 1), what comes from the neighbours.
        steps (int): Iterations; a label goes so many neighbours far at most.

    Returns:
        tuple[Tensor, Tensor]: The likeliest label (N,) int64, -1 where no label came, and its margin (N,) float64: the difference of the two
        largest shares of the mass that came, in [0, 1]; 0 where none came.

    Raises:
        ValueError: A label is not below ``num_classes``, no clip has one, or features are not finite.
    """
    known = labels >= 0
    if not known.any() or int(labels.max()) >= num_classes:
        raise ValueError(f'label propagation: labels must lie in 0 .. {num_classes - 1}, one at least; the largest is {int(labels.max())}')
    if not features.isfinite().all():
        raise ValueError('label propagation: features are not finite')
    graph = neighbour_graph(features, min(k, len(features) - 1), temperature)
    start = torch.zeros(len(features), num_classes, dtype=torch.float64, device=features.device)
    start[known, labels[known]] = 1.0
    start = start / start.sum(0).clamp(min=1)
    mass = start
    for _ in range(steps):
        mass = alpha * torch.sparse.mm(graph, mass) + (1 - alpha) * start
    total = mass.sum(1)
    share, label = (mass / total.clamp(min=torch.finfo(torch.float64).tiny)[:, None]).topk(min(2, num_classes), dim=1)
    return torch.where(total > 0, label[:, 0], -1), share[:, 0] - share[:, -1] if num_classes > 1 else share[:, 0]
