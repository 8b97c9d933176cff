"""mmengine's wrappers, in which each repetition of a clip has draws of its own.

They read clip by clip. :class:`ClassBalancedSampler` and :class:`ConcatPoseDataset` read whole batches.
"""

from bisect import bisect_left

from mmengine.dataset import dataset_wrapper
from torch.utils.data import Dataset

from ..registry import DATASETS


class _Wrapper:
    """A data set whose ``item`` takes indices beyond the end, as that of :class:`ClipDataset` does."""

    def __getitem__(self, index: int) -> dict:
        return self.item(range(len(self))[index])


def _item(dataset: Dataset, place: int, repetition: int) -> dict:
    # Other data sets know no repetitions.
    if not hasattr(dataset, 'item'):
        return dataset[place]
    return dataset.item(place + repetition * len(dataset))


@DATASETS.register_module()
class RepeatDataset(_Wrapper, dataset_wrapper.RepeatDataset):
    """Every clip ``times`` times in an epoch."""

    def item(self, index: int) -> dict:
        repetition, place = divmod(index, len(self.dataset))
        return _item(self.dataset, place, repetition)


@DATASETS.register_module()
class ClassBalancedDataset(_Wrapper, dataset_wrapper.ClassBalancedDataset):
    """Clips of rare classes several times in an epoch."""

    def item(self, index: int) -> dict:
        repetition, position = divmod(index, len(self))
        place = self.repeat_indices[position]
        # A clip's repetitions stand side by side.
        copy = position - bisect_left(self.repeat_indices, place)
        return _item(self.dataset, place, copy + repetition * len(self))


@DATASETS.register_module()
class ConcatDataset(_Wrapper, dataset_wrapper.ConcatDataset):
    """Data sets one after the other."""

    def item(self, index: int) -> dict:
        repetition, position = divmod(index, len(self))
        number, place = self._get_ori_dataset_idx(position)
        # Two parts may hold the same clips.
        return _item(self.datasets[number], place, number + repetition * len(self.datasets))
