"""Several stores as one data set."""

import logging
import os
from functools import cached_property
from typing import Dict, List, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.logging import print_log

from ..errors import UserValueError
from ..files.text import clean_text
from ..registry import DATASETS
from .clip_dataset import EpochDataset
from .clip_sources import to_device
from .pose_dataset import PoseDataset
from .store_format import common_rate

DEMO_CONFIG = 'configs/demo/signbert_d128_pretrain_synthetic.py'
MIXED_EXTRACTORS = ('warn', 'error', 'allow')


@DATASETS.register_module()
class ConcatPoseDataset(EpochDataset):
    """Data sets one after the other, with one index over all.

    Args:
        datasets (list[dict | PoseDataset]): Configs of :class:`PoseDataset`; all with one ``layout``,
            ``clip_len``, ``test_mode`` and device.
        allow_missing (bool): Leave out those whose store does not exist. :meth:`coverage`, which is logged,
            lists them.
        keep_labels (bool | str): Keep labels; all parts must then have one vocabulary. With 'union' the
            vocabulary is that of all parts together, in their order, and a gloss that several parts have is
            one class; so the parts must be of one language. With False every label is -1, as in pre-training
            on several data sets.
        mixed_extractors (str): 'warn', 'error' or 'allow' poses of different extractors, versions of one, or
            joint layouts. Their joints lie at different points of the hand, and a model can tell the
            extractors apart. In pre-training a mix may be intended.
        preload (str, optional): ``preload`` of every part that is a config without its own, see
            :class:`PoseDataset`.

    Raises:
        FileNotFoundError: A store is absent, or with ``allow_missing`` all are; the message lists each folder
            and the command that prepares it.
        ValueError: The parts do not fit together, or mix extractors with ``mixed_extractors='error'``.
    """

    def __init__(
        self,
        datasets: Sequence[Union[dict, PoseDataset]],
        allow_missing: bool = False,
        keep_labels: Union[bool, str] = False,
        mixed_extractors: str = 'warn',
        preload: Optional[str] = None,
    ) -> None:
        super().__init__()
        if not datasets:
            raise UserValueError('ConcatPoseDataset: datasets is empty; give at least one config')
        if mixed_extractors not in MIXED_EXTRACTORS:
            raise UserValueError(
                f'ConcatPoseDataset: mixed_extractors is {mixed_extractors!r}; choose one of '
                f'{", ".join(MIXED_EXTRACTORS)}'
            )
        absent = [part for part in datasets if _is_absent(part)]
        if absent and (not allow_missing or len(absent) == len(datasets)):
            lines = [
                f'  {os.path.abspath(part["store"])}\n    '
                f'{part.get("prepare") or "one of tools/dataset_converters"}'
                for part in absent
            ]
            raise FileNotFoundError(
                f'{len(absent)} of {len(datasets)} data sets are not there. Each expected folder, and the '
                'command that prepares it:\n'
                + '\n'.join(lines)
                + f'\nTo try the toolkit without any data, use the demo config {DEMO_CONFIG}: `make demo` '
                'makes its data and trains it'
            )
        self.parts: List[PoseDataset] = []
        self._rows: List[dict] = []
        for part in datasets:
            if _is_absent(part):
                # An absent part keeps its row in the coverage table, with 0 clips.
                folder = os.path.abspath(part['store'])
                self._rows.append(
                    dict(name=os.path.basename(folder), folder=folder, split='', clips=0, glosses=0)
                )
                continue
            if isinstance(part, dict):
                part = DATASETS.build(part if preload is None else dict(dict(preload=preload), **part))
            self.parts.append(part)
            self._rows.append(self.parts[-1].coverage_row())
        for field in ('layout', 'clip_len', 'test_mode', 'device'):
            # A layout is compared by its name, other fields by value.
            values = [getattr(getattr(part, field), 'name', getattr(part, field)) for part in self.parts]
            if len(set(values)) > 1 or (field == 'clip_len' and values[0] is None):
                raise UserValueError(
                    f'ConcatPoseDataset: parts need one and the same {field}; found '
                    f'{dict(zip(self.names, values))}'
                )
        self.layout = self.parts[0].layout
        self._check_extractors(mixed_extractors)
        self.keep_labels = keep_labels
        self.glosses = self._vocabulary()
        self._begin = np.cumsum([0] + [len(part) for part in self.parts])
        # Of each part, from its label to that of this data set.
        self._new_label = [
            np.array([self.glosses.index(gloss) for gloss in own] if keep_labels else [], np.int64)
            for own in self._part_glosses()
        ]
        self.labels = np.concatenate(
            [self._relabel(number, part.labels) for number, part in enumerate(self.parts)]
        )
        print_log(self.coverage(), logger='current')

    def _vocabulary(self) -> List[str]:
        if self.keep_labels not in (False, True, 'union'):
            raise UserValueError(
                f"ConcatPoseDataset: keep_labels is {self.keep_labels!r}; choose True, False or 'union'"
            )
        if not self.keep_labels:
            return []
        union = list(dict.fromkeys(gloss for own in self._part_glosses() for gloss in own))
        if self.keep_labels is True and any(own != union for own in self._part_glosses()):
            sizes = {part.name: len(part.glosses) for part in self.parts}
            raise UserValueError(
                f'ConcatPoseDataset: keep_labels=True needs one vocabulary, these differ: {sizes} glosses; '
                "use keep_labels='union', or False to leave labels out"
            )
        return union

    def _part_glosses(self) -> List[List[str]]:
        # Older stores hold glosses as they were given.
        return [[clean_text(gloss) for gloss in part.glosses] for part in self.parts]

    def _relabel(self, number: int, labels: np.ndarray) -> np.ndarray:
        """Labels (B,) of a part as labels of this data set; -1 stays -1, and all are -1 without labels."""
        if not self.keep_labels:
            return np.full(len(labels), -1, dtype=np.int64)
        # The last entry serves the index -1.
        return np.append(self._new_label[number], -1)[labels]

    def _check_extractors(self, mixed: str) -> None:
        kinds: Dict[str, List[str]] = {}
        for part in self.parts:
            # What decides is extractor and layout together.
            kinds.setdefault(
                f'{" + ".join(part.store.extractors) or "not recorded"} ({part.store.layout.name})', []
            ).append(part.name)
        if mixed == 'allow' or (
            len(kinds) < 2 and all(len(part.store.extractors) < 2 for part in self.parts)
        ):
            return
        text = (
            'ConcatPoseDataset: poses of several extractors, versions or layouts are mixed: '
            + '; '.join(f'{", ".join(dict.fromkeys(names))}: {kind}' for kind, names in kinds.items())
            + '. Their joints sit differently on the hand, and a model can tell them apart. '
        )
        if mixed == 'error':
            raise UserValueError(
                text + 'Extract the videos again with one of them, or, where the mix is meant, '
                "mixed_extractors='allow'"
            )
        print_log(
            text + "If the mix is meant: mixed_extractors='allow'; to refuse it: 'error'",
            logger='current',
            level=logging.WARNING,
        )

    @property
    def names(self) -> List[str]:
        return [part.name for part in self.parts]

    @property
    def clip_len(self) -> Optional[int]:
        """Frames of each clip in a batch."""
        return self.parts[0].clip_len

    @property
    def test_mode(self) -> bool:
        return self.parts[0].test_mode

    def __len__(self) -> int:
        return int(self._begin[-1])

    def coverage(self) -> str:
        """Returns a table of the parts as text: present or absent, with the number of clips."""
        table = [('data set', 'split', 'glosses', 'clips', 'folder')]
        for row in self._rows:
            present = (
                (row['split'], str(row['glosses']), str(row['clips']))
                if row['clips']
                else ('absent', '-', '-')
            )
            table.append((row['name'], *present, row['folder']))
        table.append(('total', f'{len(self.parts)} of {len(self._rows)}', '', str(len(self)), ''))
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        return '\n'.join(
            '  '.join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table
        )

    @cached_property
    def metainfo(self) -> dict:
        """As :attr:`PoseDataset.metainfo`."""
        extractors = list(dict.fromkeys(name for part in self.parts for name in part.store.extractors))
        return dict(
            dataset='+'.join(self.names),
            glosses=self.glosses,
            classes=self.glosses,
            layout=self.layout.name,
            extractor=extractors,
            coverage=self._rows,
            fps=common_rate([part.metainfo['fps'] for part in self.parts]),
        )

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch, as :meth:`PoseDataset.__getitems__`; ``index`` counts over all parts."""
        index = np.asarray(indices, dtype=np.int64)
        # Clips are grouped by part, so that each part reads one batch; the order is restored at the end.
        # (B,)
        places = self.places(index).numpy()
        owner = np.searchsorted(self._begin, places, side='right') - 1
        order = np.argsort(owner, kind='stable')
        epoch = self.epoch
        batches = []
        for number in np.unique(owner):
            mine = order[owner[order] == number]
            own_places = torch.from_numpy(places[mine] - self._begin[number])
            batches.append(self.parts[number].batch(own_places, torch.from_numpy(index[mine]), epoch))
        # The inverse of the permutation `order`.
        back = np.argsort(order)
        # The parts' batches lie on the parts' device.
        gathered = to_device(torch.from_numpy(back), self.parts[0].device)
        inputs = {
            name: torch.cat([batch['inputs'][name] for batch in batches])[gathered]
            for name in batches[0]['inputs']
        }
        inputs['label'] = to_device(torch.from_numpy(self.labels[places]), self.parts[0].device)
        out: dict = dict(inputs=inputs)
        if self.test_mode:
            names = [name for batch in batches for name in batch['video_id']]
            out['video_id'] = [names[row] for row in back.tolist()]
        return out


def _is_absent(part: Union[dict, PoseDataset]) -> bool:
    if not isinstance(part, dict):
        return False
    if 'store' not in part:
        raise UserValueError(f'ConcatPoseDataset: a part has no `store`: {part}')
    return not os.path.isdir(part['store'])
