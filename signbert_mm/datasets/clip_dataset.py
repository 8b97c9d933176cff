"""What data sets of clips share."""

from typing import List, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset


class ClipDataset(Dataset):
    """Clips that are read in batches, ``__getitems__``, some of them from other data sets.

    Of N clips, index i + r N is clip i when an epoch shows it for the (r + 1)-th time. Draws depend on the
    index, so a clip that is repeated in an epoch has other draws each time.

    Attributes:
        parts (Sequence): Data sets that the clips come from, with ``set_epoch`` and ``set_seed``.
        labels (np.ndarray): Shape (N,), -1 = none.
    """

    parts: Sequence['ClipDataset'] = ()
    labels: np.ndarray

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the draws."""
        for part in self.parts:
            part.set_epoch(epoch)

    def set_seed(self, seed: int) -> None:
        """Sets the run's seed for the draws of those whose config has none."""
        for part in self.parts:
            part.set_seed(seed)

    def get_cat_ids(self, index: int) -> List[int]:
        """Returns the clip's label in a list, for mmengine's ClassBalancedDataset."""
        return [int(self.labels[index])]

    def full_init(self) -> None:
        """Does nothing, as a data set is ready when it is built; mmengine's wrappers call it."""

    def places(self, indices: Sequence[int]) -> Tensor:
        """The clips (B,) int64 in 0 .. N - 1 of indices, which may lie beyond the end."""
        return torch.as_tensor(indices, dtype=torch.int64) % len(self)

    def __getitem__(self, index: int) -> dict:
        """Returns one clip: as ``__getitems__``, without the batch axis."""
        # `range` turns negative indices into positive ones and raises IndexError beyond the end.
        return self.item(range(len(self))[index])

    def item(self, index: int) -> dict:
        """As ``__getitem__``; the index may lie beyond the end."""
        batch = self.__getitems__([index])
        item = dict(inputs={name: value[0] for name, value in batch['inputs'].items()})
        if 'video_id' in batch:
            item['video_id'] = batch['video_id'][0]
        return item


class EpochDataset(ClipDataset):
    """Clips that know the epoch themselves, also in worker processes."""

    def __init__(self) -> None:
        super().__init__()
        # In shared memory, so that persistent workers see a new epoch too.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the draws, also for (persistent) worker processes."""
        self._epoch.fill_(epoch)
