"""A few labelled clips, and others with labels that a model predicts."""

from typing import List, Sequence

import numpy as np
import torch
from torch import Tensor

from signbert_mm.datasets import ConcatPoseDataset, PoseDataset
from signbert_mm.datasets.clip_dataset import EpochDataset
from signbert_mm.errors import UserValueError
from signbert_mm.registry import DATASETS

SELECTION = ('split', 'hold_out', 'classes', 'relabel', 'empty_clip', 'few_shot', 'data_ratio')


@DATASETS.register_module()
class PseudoLabelDataset(EpochDataset):
    """Labelled and pseudo-labelled clips, equally many of every gloss (not in the papers).

    Every gloss has ``per_class`` places in an epoch. They hold its labelled clips and a random part of the
    clips that :class:`PseudoLabelHook` assigns to it, another part in each epoch. A gloss with fewer clips
    repeats them, each time with other draws. Until pseudo-labels are set, these are the labelled clips alone.
    The length never changes. Labels of ``unlabelled`` in the store are never read. Clips that are also in
    ``labelled`` are left out.

    Args:
        labelled (dict): Config of a :class:`PoseDataset`, usually with ``few_shot``.
        unlabelled (dict): Config of a :class:`PoseDataset` with the same layout and clip length.
        per_class (int): Places of a gloss in an epoch.
        clean_pipeline (Sequence[dict]): Pipeline without random draws, by which clips are read for labelling.

    Raises:
        ValueError: A gloss has no labelled clip or more than ``per_class``, or the parts do not fit together.
    """

    def __init__(
        self, labelled: dict, unlabelled: dict, per_class: int, clean_pipeline: Sequence[dict]
    ) -> None:
        super().__init__()
        self.labelled = DATASETS.build(dict(labelled))
        self.unlabelled = self._others(dict(unlabelled))
        self.parts, self.layout = (self.labelled, self.unlabelled), self.labelled.layout
        clean = [
            self._again(part, config, clean_pipeline)
            for part, config in ((self.labelled, labelled), (self.unlabelled, unlabelled))
        ]
        self.clean = ConcatPoseDataset(clean, mixed_extractors='allow')
        """Labelled clips, then the others, read by ``clean_pipeline``; every label is -1."""
        for field in ('layout', 'clip_len'):
            one, other = (
                getattr(getattr(part, field), 'name', getattr(part, field))
                for part in (self.labelled, self.unlabelled)
            )
            if one != other or (field == 'clip_len' and one is None):
                raise UserValueError(
                    'PseudoLabelDataset: labelled and unlabelled need one and the same '
                    f'{field}; found {one} and {other}'
                )
        counts = np.bincount(self.labelled.labels, minlength=len(self.glosses))
        for wrong, what in (
            (counts == 0, 'no labelled clip'),
            (counts > per_class, f'more labelled clips than per_class={per_class} places'),
        ):
            if wrong.any():
                names = [self.glosses[label] for label in np.flatnonzero(wrong)[:5]]
                raise UserValueError(
                    f'PseudoLabelDataset: {wrong.sum()} glosses have {what}, the first: '
                    f'{names}; change `labelled` or `per_class`'
                )
        self.per_class = per_class
        self.labels = np.repeat(np.arange(len(self.glosses)), per_class)
        # (places,): the clip at each place, as an index into `clean`
        # In shared memory, so that persistent workers see new labels too.
        self._members = torch.zeros(len(self.labels), dtype=torch.int64).share_memory_()
        self._given = np.full(len(self.unlabelled), -1)
        self._fill()

    def _others(self, config: dict) -> PoseDataset:
        part = DATASETS.build(config)
        if part.store.folder != self.labelled.store.folder:
            return part
        # A clip in both parts would be learnt under its label and under a predicted one.
        other = np.flatnonzero(~np.isin(part.clips, self.labelled.clips))
        if 'indices' in config or not len(other):
            raise UserValueError(
                'PseudoLabelDataset: unlabelled has no clips beside the labelled ones, or '
                '`indices` of its own, which are not supported'
            )
        return DATASETS.build(dict(config, indices=other))

    @staticmethod
    def _again(part: PoseDataset, config: dict, pipeline: Sequence[dict]) -> PoseDataset:
        # `indices` states the clips of the part, so the options that selected them go.
        kept = {name: value for name, value in config.items() if name not in SELECTION}
        return DATASETS.build(dict(kept, indices=part.clips, pipeline=pipeline))

    @property
    def glosses(self) -> List[str]:
        return self.labelled.glosses

    @property
    def metainfo(self) -> dict:
        """The metainfo of ``labelled``."""
        return self.labelled.metainfo

    @property
    def known_labels(self) -> Tensor:
        """Shape (clips of ``clean``,) int64: the labels of the labelled clips, -1 for the others."""
        return torch.cat([torch.from_numpy(self.labelled.labels), torch.full((len(self.unlabelled),), -1)])

    def __len__(self) -> int:
        return len(self.labels)

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch of the draws, also for (persistent) worker processes."""
        super().set_epoch(epoch)
        self._fill()

    def set_pseudo_labels(self, labels: Tensor) -> int:
        """Sets the pseudo-labels and fills the places again, also for worker processes.

        Args:
            labels (Tensor): Shape (clips of ``unlabelled``,) int64, -1 = not used.

        Returns:
            int: Number of clips of ``unlabelled`` with a label.

        Raises:
            ValueError: The number of labels differs, or a label is not a gloss.
        """
        if labels.shape != (len(self.unlabelled),) or int(labels.max()) >= len(self.glosses):
            raise UserValueError(
                f'PseudoLabelDataset: labels {tuple(labels.shape)} must be of the {len(self.unlabelled)} '
                'unlabelled clips and below '
                f'{len(self.glosses)}; the largest is {int(labels.max())}'
            )
        self._given = labels.numpy().copy()
        self._fill()
        return int((self._given >= 0).sum())

    def _fill(self) -> None:
        """Fills the places of this epoch, as a function of seed and epoch."""
        random = np.random.RandomState(((self.labelled.seed or 0) + self.epoch) % 2**32)
        members = []
        for label in range(len(self.glosses)):
            own = np.flatnonzero(self.labelled.labels == label)
            given = random.permutation(np.flatnonzero(self._given == label))[: self.per_class - len(own)]
            # np.resize repeats the clips until all places are full.
            members.append(np.resize(np.concatenate([own, len(self.labelled) + given]), self.per_class))
        self._members.copy_(torch.from_numpy(np.concatenate(members)))

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch, as :meth:`PoseDataset.__getitems__`.

        ``index`` is the place in this data set, ``label`` the gloss of that place.
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        place = self.places(index)
        member, begin = self._members[place], len(self.labelled)
        # Each part reads its clips as one batch; the order is restored at the end.
        batches, order = [], []
        for part, mine, first in (
            (self.labelled, member < begin, 0),
            (self.unlabelled, member >= begin, begin),
        ):
            if mine.any():
                # The draws go by the place: a clip repeated in an epoch gets other draws each time.
                batches.append(part.batch(member[mine] - first, index[mine], self.epoch)['inputs'])
                order.append(mine.nonzero()[:, 0])
        back = torch.argsort(torch.cat(order))
        inputs = {name: torch.cat([batch[name] for batch in batches])[back] for name in batches[0]}
        inputs['label'] = torch.from_numpy(self.labels)[place]
        return dict(inputs=inputs)
