"""What data sets of clips share."""

from typing import List, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset


class ClipDataset(Dataset):
    """Clips that are read in batches, ``__getitems__``, some of them from other data sets.

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

    def __getitem__(self, index: int) -> dict:
        """Returns one clip: as ``__getitems__``, without the batch axis."""
        # `range` turns negative indices into positive ones and raises IndexError beyond the end.
        batch = self.__getitems__([range(len(self))[index]])
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
