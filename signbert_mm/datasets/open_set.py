"""Training data for recognisers that also learn what is outside of their vocabulary."""

import hashlib
import math
from typing import List, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..draws import Draws
from ..errors import UserValueError
from ..registry import DATASETS
from .clip_dataset import ClipDataset
from .no_sign import NoSignDataset
from .pose_dataset import PoseDataset


def other_glosses(glosses: Sequence[str], known: Sequence[str], part: int = 0, parts: int = 1) -> List[str]:
    """The glosses outside of a vocabulary, or a fixed part of them.

    Args:
        glosses (Sequence[str]): All glosses.
        known (Sequence[str]): The vocabulary.
        part (int): Which of ``parts``, from 0 on.
        parts (int): A gloss belongs to the part that is the remainder of its BLAKE2b digest (8 bytes,
            little-endian) by ``parts``: the same in any data set.

    Raises:
        ValueError: There is no such part, or it is empty.
    """
    if not 0 <= part < parts:
        raise UserValueError(
            f'glosses outside of the vocabulary: part {part} of {parts}; give 0 to {parts - 1}'
        )
    others = sorted(set(glosses) - set(known))
    chosen = [gloss for gloss in others if _digest(gloss) % parts == part]
    if not chosen:
        raise UserValueError(
            f'part {part} of {parts} of the glosses outside of the vocabulary is empty: {len(set(glosses))} '
            f'glosses there, {len(set(known))} in the vocabulary'
        )
    return chosen


def _digest(gloss: str) -> int:
    return int.from_bytes(hashlib.blake2b(gloss.encode(), digest_size=8).digest(), 'little')


@DATASETS.register_module()
class OpenSetDataset(ClipDataset):
    """Labelled clips of a vocabulary, and clips of other signs and of none. (Not in the papers.)

    An epoch has each clip of the vocabulary once. Each other clip is drawn, by (seed, epoch, index). Labels
    0 .. C - 1 are the vocabulary, the next ones the other glosses, and the last one is no sign, see
    :class:`NoSignDataset`. The recogniser's head has as many outputs (``num_classes`` and ``num_unknown``).

    Args:
        known (dict): Config of the :class:`PoseDataset` with the vocabulary.
        unknown (dict): Config of the :class:`PoseDataset` with other glosses, without ``classes``; its clips
            of the vocabulary are left out.
        part, parts (int): Which of the other glosses are trained on, see :func:`other_glosses`. The rest is
            left for calibration and measurement.
        share (float): Share of an epoch's clips that are outside of the vocabulary, in (0, 1).
        no_sign (float): Share of these that show no sign, made of the vocabulary's clips, in [0, 1).

    Raises:
        FileNotFoundError, ValueError: As :class:`PoseDataset`; or a share is out of range, or the two sets
            differ in layout or length.
    """

    def __init__(
        self,
        known: dict,
        unknown: dict,
        part: int = 0,
        parts: int = 2,
        share: float = 0.5,
        no_sign: float = 0.2,
    ) -> None:
        if not 0 < share < 1 or not 0 <= no_sign < 1:
            raise UserValueError(
                f'OpenSetDataset: 0 < share < 1 and 0 <= no_sign < 1 are needed, got {share} and {no_sign}'
            )
        self.known: PoseDataset = DATASETS.build(known)
        everything = DATASETS.build(dict(unknown, classes=None))
        others = other_glosses(everything.glosses, self.known.glosses, part, parts)
        self.unknown: PoseDataset = DATASETS.build(dict(unknown, classes=others, relabel=True))
        self.parts, self.layout = (self.known, self.unknown), self.known.layout
        for field in ('layout', 'clip_len'):
            values = [getattr(getattr(data, field), 'name', getattr(data, field)) for data in self.parts]
            if values[0] != values[1] or values[0] is None:
                raise UserValueError(
                    f'OpenSetDataset: `known` and `unknown` need one and the same {field}, found {values}'
                )
        self.no_sign, self._empty = no_sign, NoSignDataset(self.known)
        self.glosses, self.others = list(self.known.glosses), others
        self.num_unknown = len(others) + 1
        self.labels = np.concatenate(
            [self.known.labels, np.full(math.ceil(len(self.known) * share / (1 - share)), len(self.glosses))]
        )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def metainfo(self) -> dict:
        """That of the vocabulary."""
        return self.known.metainfo

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch, as :meth:`PoseDataset.__getitems__`; clips of the vocabulary come first."""
        index, epoch = torch.as_tensor(indices, dtype=torch.int64), self.known.epoch
        draws = Draws(self.known.seed or 0, epoch, index).child('open_set')
        place = self.places(index)
        outside = place >= len(self.known)
        empty = outside & draws.bernoulli('no_sign', self.no_sign)
        signs = outside & ~empty
        pool = draws.integers('clip', torch.where(empty, len(self.known), len(self.unknown)))
        batches = []
        for chosen, data, places in (
            (~outside, self.known, place),
            (signs, self.unknown, pool),
            (empty, self._empty, pool),
        ):
            if chosen.any():
                inputs = data.batch(places[chosen], index[chosen], epoch)['inputs']
                batches.append(dict(inputs, label=self._label(data, inputs['label'])))
        return dict(inputs={name: torch.cat([part[name] for part in batches]) for name in batches[0]})

    def _label(self, data: Dataset, label: Tensor) -> Tensor:
        if data is self.known:
            return label
        if data is self.unknown:
            return label + len(self.glosses)
        return torch.full_like(label, len(self.glosses) + self.num_unknown - 1)
