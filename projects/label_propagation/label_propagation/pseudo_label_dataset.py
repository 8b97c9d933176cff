"""A few labelled clips, and others that are learnt from under labels that a model gave them."""

from typing import List, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from signbert_mm.datasets import ConcatPoseDataset, PoseDataset
from signbert_mm.errors import UserValueError
from signbert_mm.layouts import Layout
from signbert_mm.registry import DATASETS

SELECTION = ('split', 'hold_out', 'classes', 'relabel', 'empty_clip', 'few_shot', 'data_ratio')


@DATASETS.register_module()
class PseudoLabelDataset(Dataset):
    """Equally many places for every gloss, filled with its labelled clips and a random part of those that
    :class:`PseudoLabelHook` gives it, another
    in each epoch (not in the papers).

    Where a gloss has fewer clips than places they come again from the beginning, each time with draws of its
    own; until labels are given, these are the labelled ones alone. The length never changes. No label of
    ``unlabelled`` is ever read: what the store says of them is thrown away, and clips that ``labelled`` has
    too are left out.

    Args:
        labelled (dict): Config of a :class:`PoseDataset`, as a rule with ``few_shot``.
        unlabelled (dict): Config of a :class:`PoseDataset` with the same layout and clip length.
        per_class (int): Places of a gloss in an epoch.
        clean_pipeline (Sequence[dict]): Pipeline by which clips are read when they are to be labelled,
            without random draws.

    Raises:
        ValueError: A gloss has no labelled clip or more than ``per_class``, or the parts do not fit together.
    """

    def __init__(
        self, labelled: dict, unlabelled: dict, per_class: int, clean_pipeline: Sequence[dict]
    ) -> None:
        self.labelled = DATASETS.build(dict(labelled))
        self.unlabelled = self._others(dict(unlabelled))
        clean = [
            self._again(part, config, clean_pipeline)
            for part, config in ((self.labelled, labelled), (self.unlabelled, unlabelled))
        ]
        self.clean = ConcatPoseDataset(clean, mixed_extractors='allow')
        """Labelled clips, then the others, as they are read to be labelled; every label is -1."""
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
                names = [self.glosses[place] for place in np.flatnonzero(wrong)[:5]]
                raise UserValueError(
                    f'PseudoLabelDataset: {wrong.sum()} glosses have {what}, the first: '
                    f'{names}; change `labelled` or `per_class`'
                )
        self.per_class = per_class
        self.labels = np.repeat(np.arange(len(self.glosses)), per_class)
        # (places,), as `clean` numbers the clips
        self._members = torch.zeros(len(self.labels), dtype=torch.int64).share_memory_()
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._given = np.full(len(self.unlabelled), -1)
        self._fill()

    def _others(self, config: dict) -> PoseDataset:
        part = DATASETS.build(config)
        if part.store.folder != self.labelled.store.folder:
            return part
        other = np.flatnonzero(~np.isin(part.clips, self.labelled.clips))
        if 'indices' in config or not len(other):
            raise UserValueError(
                'PseudoLabelDataset: unlabelled has no clips beside the labelled ones, or '
                '`indices` of its own, which are not supported'
            )
        return DATASETS.build(dict(config, indices=other))

    @staticmethod
    def _again(part: PoseDataset, config: dict, pipeline: Sequence[dict]) -> PoseDataset:
        kept = {name: value for name, value in config.items() if name not in SELECTION}
        return DATASETS.build(dict(kept, indices=part.clips, pipeline=pipeline))

    @property
    def glosses(self) -> List[str]:
        return self.labelled.glosses

    @property
    def metainfo(self) -> dict:
        """That of ``labelled``."""
        return self.labelled.metainfo

    @property
    def layout(self) -> Layout:
        return self.labelled.layout

    @property
    def known_labels(self) -> Tensor:
        """Shape (clips of ``clean``,) int64: the labels of the labelled clips, -1 for the others."""
        return torch.cat([torch.from_numpy(self.labelled.labels), torch.full((len(self.unlabelled),), -1)])

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def epoch(self) -> int:
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch's numbers to draw; worker processes see it, persistent ones too."""
        self._epoch.fill_(epoch)
        self._fill()

    def set_seed(self, seed: int) -> None:
        """The run's seed, for the draws of parts whose config gives none."""
        self.labelled.set_seed(seed)
        self.unlabelled.set_seed(seed)

    def set_pseudo_labels(self, labels: Tensor) -> int:
        """Fills the places anew; worker processes see it.

        Args:
            labels (Tensor): Shape (clips of ``unlabelled``,) int64, -1 = not to be used.

        Returns:
            int: Clips of ``unlabelled`` that have a label now.
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
        """Deals the places of this epoch; a function of seed and epoch."""
        random = np.random.RandomState(((self.labelled.seed or 0) + self.epoch) % 2**32)
        members = []
        for label in range(len(self.glosses)):
            own = np.flatnonzero(self.labelled.labels == label)
            given = random.permutation(np.flatnonzero(self._given == label))[: self.per_class - len(own)]
            members.append(np.resize(np.concatenate([own, len(self.labelled) + given]), self.per_class))
        self._members.copy_(torch.from_numpy(np.concatenate(members)))

    def __getitem__(self, index: int) -> dict:
        """One clip, as :meth:`PoseDataset.__getitem__`."""
        batch = self.__getitems__([range(len(self))[index]])
        return dict(inputs={name: value[0] for name, value in batch['inputs'].items()})

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch, as :meth:`PoseDataset.__getitems__`; ``index`` is the place here, ``label`` the gloss
        whose place it is.
        """
        place = torch.as_tensor(indices, dtype=torch.int64)
        member, begin = self._members[place], len(self.labelled)
        batches, order = [], []
        for part, mine, first in (
            (self.labelled, member < begin, 0),
            (self.unlabelled, member >= begin, begin),
        ):
            if mine.any():
                batches.append(part.batch(member[mine] - first, place[mine], self.epoch)['inputs'])
                order.append(mine.nonzero()[:, 0])
        back = torch.argsort(torch.cat(order))
        inputs = {name: torch.cat([batch[name] for batch in batches])[back] for name in batches[0]}
        inputs['label'] = torch.from_numpy(self.labels)[place]
        return dict(inputs=inputs)
