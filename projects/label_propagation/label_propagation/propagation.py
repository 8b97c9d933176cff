"""Labels of a few clips, spread over clips without labels along the nearest neighbours of a
representation.
"""

from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import UserValueError


def neighbour_graph(features: Tensor, k: int, temperature: float) -> Tuple[Tensor, Tensor]:
    """The symmetrically normalised graph of nearest neighbours, D^-1/2 W D^-1/2.

    Two clips are joined where one is among the k nearest of the other by cosine similarity, with W =
    exp((cosine - 1) / temperature).

    Args:
        features (Tensor): Shape (N, D).
        k (int): Neighbours, at least 1 and below N.
        temperature (float): Of the weights.

    Returns:
        tuple[Tensor, Tensor]: The graph, sparse, shape (N, N), float64; and each clip's mean cosine with its
        k nearest (N,).

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
    for begin in range(0, count, 1024):  # the similarities of all at once would not fit
        cosine = features[begin : begin + 1024] @ features.t()
        row = torch.arange(begin, begin + len(cosine), device=features.device)
        cosine[torch.arange(len(cosine)), row] = -2.0  # no clip is its own neighbour
        value, place = cosine.topk(k, dim=1)
        pairs.append(torch.stack([row[:, None].expand_as(place), place]))
        near.append(value)
    (row, column), near = torch.cat(pairs, dim=1), torch.cat(near)
    pairs, inverse = torch.cat([(row * count + column).flatten(), (column * count + row).flatten()]).unique(
        return_inverse=True
    )
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
    """Label propagation (Zhou et al., Learning with Local and Global Consistency, 2004): F <- alpha S F + (1
    - alpha) Y, from F = Y.

    Each class starts with the same mass, shared by its labelled clips. S is :func:`neighbour_graph`. A clip's
    margin is the difference of the two largest shares of the mass that came to it.

    A class may be known to stand for no sign, as rest: signs resemble each other, what lies between them does
    not. Given as ``background``, the clips least like their neighbours start with its label too; the clips
    that no label reaches get it, and the uncertain ones for which it is one of the two likeliest.

    Args:
        features (Tensor): Shape (N, D).
        labels (Tensor): Shape (N,) int64, -1 = none.
        num_classes (int): Classes.
        k (int): Neighbours; fewer where there are not so many clips.
        temperature (float): Of the graph's weights.
        alpha (float): In [0, 1), what comes from the neighbours.
        steps (int): Iterations; a label goes so many neighbours far at most.
        min_margin (float): Clips with a smaller margin get no label.
        background (int, optional): The class that stands for no sign.
        background_share (float): Which share of all clips starts with its label.

    Returns:
        Tensor: The likeliest label (N,) int64, -1 = too uncertain or not reached. Clips that had a label keep
            it.

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
        likeness[known] = 2.0  # above any cosine
        start[likeness.argsort(stable=True)[: int(background_share * len(features))], background] = 1.0
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
    found = torch.where(sure, label[:, 0], -1)
    if background is not None:
        found[(total == 0) | ~sure & (label == background).any(1)] = background
    return torch.where(known, labels, found)
