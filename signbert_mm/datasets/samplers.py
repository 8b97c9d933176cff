"""Samplers: the order of clips in an epoch."""

import math
from typing import Iterator, Optional, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from ..errors import UserValueError
from ..registry import DATA_SAMPLERS
from .clip_dataset import ClipDataset

_PIECE = 1024


def _deal(order: np.ndarray, rank: int, world_size: int) -> Iterator[int]:
    """Yields every ``world_size``-th clip of ``order`` from ``rank`` on."""
    # In pieces: a list of Python integers for all clips of a large data set takes much memory.
    for begin in range(rank, len(order), _PIECE * world_size):
        yield from order[begin : begin + _PIECE * world_size : world_size].tolist()


def _times_before(order: np.ndarray) -> np.ndarray:
    """How often each entry of ``order`` (N,) stands before its place: shape (N,)."""
    # A stable sort keeps a clip's times in their order.
    grouped = np.argsort(order, kind='stable')
    begins = np.searchsorted(order[grouped], order[grouped])
    times = np.empty_like(order)
    times[grouped] = np.arange(len(order)) - begins
    return times


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(Sampler):
    """Samples every class equally often in an epoch, to within one clip.

    A class with fewer clips than its share repeats all of them, newly shuffled each time. A class with more
    gives a random part. Classes without clips are ignored. The order is a function of seed and epoch. All
    ranks share one order and take turns, as in mmengine's ``DefaultSampler``.

    A clip of a :class:`ClipDataset` that is repeated has other draws each time: the (r + 1)-th time of clip i
    is index i + r N.

    Args:
        dataset (Sized): A data set with ``labels``, shape (N,), none of them -1.
        seed (int, optional): The same on all ranks; None = agreed among them.
        num_samples (int, optional): Clips in an epoch over all ranks; None = len(dataset).
        round_up (bool): Repeat clips from the beginning, so that every rank has equally many.

    Raises:
        ValueError: A clip has no label.
    """

    def __init__(
        self,
        dataset: Sized,
        seed: Optional[int] = None,
        num_samples: Optional[int] = None,
        round_up: bool = True,
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        labels = np.asarray(dataset.labels)
        if (labels < 0).any():
            raise UserValueError(
                f'ClassBalancedSampler: {(labels < 0).sum()} of {len(labels)} clips have no label; '
                'use DefaultSampler, or keep_labels=True in a ConcatPoseDataset of one vocabulary'
            )
        # Group the clips by class; a stable sort keeps their order within a class.
        order = np.argsort(labels, kind='stable')
        _, begins = np.unique(labels[order], return_index=True)
        self._members = np.split(order, begins[1:])
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.total = len(labels) if num_samples is None else num_samples
        self.total_size = (
            math.ceil(self.total / self.world_size) * self.world_size if round_up else self.total
        )

    def __len__(self) -> int:
        return len(range(self.rank, self.total_size, self.world_size))

    def __iter__(self) -> Iterator[int]:
        random = np.random.RandomState((self.seed + self.epoch) % 2**32)
        shares = np.full(len(self._members), self.total // len(self._members))
        # The clips that do not divide evenly go to random classes, one each.
        shares[random.permutation(len(shares))[: self.total % len(shares)]] += 1
        picked = []
        for members, share in zip(self._members, shares):
            rounds = [random.permutation(members) for _ in range(math.ceil(share / len(members)))]
            # The last round is cut to what the share leaves.
            picked += [
                clips[: share - round_index * len(members)] for round_index, clips in enumerate(rounds)
            ]
        # The order begins again where ranks need more.
        order = np.resize(random.permutation(np.concatenate(picked)), self.total_size)
        if isinstance(self.dataset, ClipDataset):
            order = order + _times_before(order) * len(self.dataset)
        return _deal(order, self.rank, self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch that decides the order."""
        self.epoch = epoch
