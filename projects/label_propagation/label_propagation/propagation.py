"""Label propagation from a few clips to others, along nearest neighbours of a representation."""

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from signbert_mm.errors import UserValueError


def neighbour_graph(features: Tensor, k: int, temperature: float) -> Tuple[Tensor, Tensor]:
    """The symmetrically normalised graph of nearest neighbours, D^-1/2 W D^-1/2.

    Two clips are connected if one is among the k nearest of the other by cosine similarity. The weight W is
    exp((cosine - 1) / temperature).

    Args:
        features (Tensor): Shape (N, D).
        k (int): Number of neighbours, at least 1 and below N.
        temperature (float): Temperature of the weights.

    Returns:
        tuple[Tensor, Tensor]: The sparse graph, shape (N, N) float64; and each clip's mean cosine with its k
        nearest, shape (N,).

    Raises:
        ValueError: k is not in 1 .. N - 1.
    """
    count = len(features)
    if not 1 <= k < count:
        raise UserValueError(
            f'label propagation: k must be from 1 to {count - 1}, one less than there are clips; got {k}'
        )
    features = F.normalize(features.double(), dim=-1)
    pairs, near = [], []
    # In blocks of rows: all (N, N) similarities would not fit into memory.
    for begin in range(0, count, 1024):
        cosine = features[begin : begin + 1024] @ features.t()
        row = torch.arange(begin, begin + len(cosine), device=features.device)
        # No clip is its own neighbour: -2 is below any cosine.
        cosine[torch.arange(len(cosine)), row] = -2.0
        value, column_index = cosine.topk(k, dim=1)
        pairs.append(torch.stack([row[:, None].expand_as(column_index), column_index]))
        near.append(value)
    (row, column), near = torch.cat(pairs, dim=1), torch.cat(near)
    # Both directions make the graph symmetric. As numbers row * N + column, pairs can be made unique.
    pairs, inverse = torch.cat([(row * count + column).flatten(), (column * count + row).flatten()]).unique(
        return_inverse=True
    )
    # Pairs that occur twice have the same cosine up to rounding; `amax` makes both directions equal.
    cosine = near.new_full((len(pairs),), -1.0).scatter_reduce_(0, inverse, near.flatten().repeat(2), 'amax')
    weight = ((cosine - 1) / temperature).exp()
    row, column = pairs // count, pairs % count
    degree = (
        torch.zeros_like(features[:, 0]).index_add_(0, row, weight).clamp(min=torch.finfo(torch.float64).tiny)
    )
    weight = weight / (degree[row] * degree[column]).sqrt()
    graph = torch.sparse_coo_tensor(torch.stack([row, column]), weight, (count, count), check_invariants=True)
    return graph.coalesce(), near.mean(1)


def propagate_labels(
    features: Tensor,
    labels: Tensor,
    num_classes: int,
    k: int = 20,
    temperature: float = 0.02,
    alpha: float = 0.95,
    steps: int = 20,
    min_margin: float = 0.3,
    background: Optional[int] = None,
    background_share: float = 0.08,
) -> Tensor:
    """Label propagation: F <- alpha S F + (1 - alpha) Y, from F = Y (Zhou et al. 2004).

    The paper is Learning with Local and Global Consistency. S is :func:`neighbour_graph`. Each class starts
    with the same mass, shared by its labelled clips. A clip's margin is the difference of the two largest
    shares of its mass.

    One class may stand for no sign, such as rest. Signs resemble each other, and what lies between them does
    not. With ``background`` set to this class, the clips least similar to their neighbours start with its
    label too. It is also the label of clips that no label reaches, and of uncertain clips for which it is one
    of the two most likely.

    Args:
        features (Tensor): Shape (N, D).
        labels (Tensor): Shape (N,) int64, -1 = none.
        num_classes (int): Number of classes.
        k (int): Number of neighbours, at most N - 1.
        temperature (float): Temperature of the graph's weights.
        alpha (float): Weight of the neighbours, in [0, 1).
        steps (int): Iterations, which is also the largest distance of a label in neighbours.
        min_margin (float): Clips with a smaller margin get no label.
        background (int, optional): The class that stands for no sign.
        background_share (float): Share of all clips that start with its label.

    Returns:
        Tensor: The most likely label (N,) int64, -1 = too uncertain or not reached. Labelled clips keep their
            label.

    Raises:
        ValueError: A label is not below ``num_classes``, no clip has one, or features are not finite.
    """
    known = labels >= 0
    if not known.any() or int(labels.max()) >= num_classes:
        raise UserValueError(
            f'label propagation: labels must lie in 0 .. {num_classes - 1}, one at least; the '
            f'largest is {int(labels.max())}'
        )
    if not features.isfinite().all():
        raise UserValueError('label propagation: features are not finite')
    graph, likeness = neighbour_graph(features, min(k, len(features) - 1), temperature)
    start = graph.new_zeros(len(features), num_classes, layout=torch.strided)
    start[known, labels[known]] = 1.0
    if background is not None:
        # Labelled clips are never taken for background: 2 is above any cosine.
        likeness[known] = 2.0
        start[likeness.argsort(stable=True)[: int(background_share * len(features))], background] = 1.0
    # A class with many labelled clips must not outweigh the others.
    start = start / start.sum(0).clamp(min=1)
    mass = start
    for _ in range(steps):
        mass = alpha * torch.sparse.mm(graph, mass) + (1 - alpha) * start
    total = mass.sum(1)
    share, label = (mass / total.clamp(min=torch.finfo(torch.float64).tiny)[:, None]).topk(
        min(2, num_classes), dim=1
    )
    margin = share[:, 0] - (share[:, 1] if num_classes > 1 else 0)
    sure = (total > 0) & (margin >= min_margin)
    result = torch.where(sure, label[:, 0], -1)
    if background is not None:
        result[(total == 0) | ~sure & (label == background).any(1)] = background
    return torch.where(known, labels, result)
