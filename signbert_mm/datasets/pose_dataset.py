"""Clips of one PoseStore, served as whole batches."""

import difflib
import logging
import os
from functools import cached_property
from typing import Dict, List, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from ..draws import Draws
from ..errors import UserValueError
from ..files.text import text_lines
from ..layouts import get_layout, layout_mapping
from ..registry import DATASETS
from .clip_sources import PRELOAD, MappedClips, PreloadedClips, to_device
from .pixel_check import PixelCheck, UnitError
from .pose_store import PoseStore
from .store_format import common_rate
from .subsets import data_ratio_indices, few_shot_indices, hold_out_indices
from .transforms.base import Compose
from .transforms.temporal import TemporalSample, sample_time

UNIT_SAMPLE = 32  # clips whose unit is checked when a data set is opened
EMPTY_CLIP = ('keep', 'drop', 'error')


@DATASETS.register_module()
class PoseDataset(Dataset):
    """Clips of one store: a split of it, or a subset of that.

    The selection is made in this order: ``split``, ``hold_out``, ``classes``, ``empty_clip``, ``few_shot``,
    ``data_ratio``, ``indices``; clips stay in the store's order. Torch's DataLoader calls
    :meth:`__getitems__`, which samples time and reads a whole batch at once: only the sampled frames and the
    joints of ``layout``.

    Args:
        store (str): Folder of a :class:`PoseStore`.
        split (str | list[str], optional): Names of splits; None = all clips.
        layout (str): Layout of what is returned; joints that the store lacks are missing (score 0).
        pipeline (list[dict]): Transforms. The first may be a temporal one, which sees lengths only; the rest
            see the batch as read. Without a temporal one all frames come, padded to the longest clip of the
            batch.
        drop_empty_frames (bool): Leave out the frames in which neither hand was found, as the store says
            (``hand_rule``), before time is sampled. A clip without any hand keeps all.
        empty_clip (str): What to do with clips in which no frame has a hand: 'keep', 'drop' or 'error'.
        few_shot (dict, optional): ``dict(shots=k, seed=s)``, see :func:`few_shot_indices`; the classes are
            drawn in the vocabulary's order.
        data_ratio (dict, optional): ``dict(ratio=r, seed=s)``, see :func:`data_ratio_indices`.
        classes (list[str] | str, optional): Only clips of these glosses; a text names a store, whose glosses
            are meant, or a file with one a line.
        relabel (bool): Labels become places in ``classes``; else they keep their place in the store's
            vocabulary.
        indices (int | Sequence[int], optional): The first so many clips, or these places, of what the other
            options leave.
        stand_ins (bool): Let a body wrist stand in for a missing hand root and the reverse.
        side (str): Which hand the joints of a hand_21 store are: 'left' or 'right'.
        seed (int, optional): Of the draws in ``pipeline``; None = the run's seed, which ``EpochSeedHook``
            sets (0 without it).
        test_mode (bool): The batch also names its clips: ``video_id``.
        preload (str): 'none' = batches are read from the store's memory map. 'memory' = the clips are held
            whole in this process's memory. 'device' = on its GPU, where batches are then gathered; without a
            GPU, as 'memory'. It wants a loader without workers and without ``pin_memory``, which the tools
            see to. Batches are the same, bit for bit.
        preload_gb (float, optional): The most that the clips may take, in GB; None = half of what is free
            there.
        hold_out (dict, optional): ``dict(part='train', share=0.2)`` trains on what ``dict(part='val',
            share=0.2)`` leaves: whole signers of the split are held out. Also ``names``, ``by``, ``seed``:
            see :func:`hold_out_indices`.
        prepare (str): The command that prepares this data set, for the message where it is absent.

    Raises:
        FileNotFoundError: The store is not there.
        UnitError: Most of some clips that are looked at are not in pixels.
        ValueError: The store is damaged, a name is unknown, an option is out of range, nothing is left, or it
            does not fit (``preload``).
    """

    def __init__(
        self,
        store: Union[str, os.PathLike],
        split: Union[str, Sequence[str], None] = None,
        layout: str = 'sign_49',
        pipeline: Sequence[Union[dict, object]] = (),
        drop_empty_frames: bool = True,
        empty_clip: str = 'keep',
        few_shot: Optional[dict] = None,
        data_ratio: Optional[dict] = None,
        classes: Union[Sequence[str], str, None] = None,
        relabel: bool = False,
        indices: Union[int, Sequence[int], None] = None,
        stand_ins: bool = False,
        side: str = '',
        seed: Optional[int] = None,
        test_mode: bool = False,
        preload: str = 'none',
        preload_gb: Optional[float] = None,
        prepare: str = '',
        hold_out: Optional[dict] = None,
    ) -> None:
        if not os.path.isdir(store):
            how = prepare or 'one of tools/dataset_converters (each has --help)'
            raise FileNotFoundError(
                f'{os.path.abspath(store)}: no such folder. Prepare the data set with: '
                f'{how}; or correct `store`'
            )
        self.store = PoseStore(store)
        self.name = os.path.basename(self.store.folder)
        self.layout = get_layout(layout)
        self._joints = layout_mapping(self.store.layout, self.layout, stand_ins, side)  # (V,), -1 = absent
        self.seed, self.test_mode = seed, test_mode
        steps = Compose(pipeline).transforms
        self.temporal = steps.pop(0) if steps and isinstance(steps[0], TemporalSample) else None
        if any(isinstance(step, TemporalSample) for step in steps):
            raise UserValueError(
                f'{self.name}: pipeline: one temporal transform at most, and it comes first; found {steps}'
            )
        self.transforms = Compose(steps)

        self.split = None if split is None else [split] if isinstance(split, str) else list(split)
        self.glosses = list(self.store.glosses)
        if relabel and classes is None:
            raise UserValueError(f'{self.name}: relabel=True needs `classes`')
        classes = self._read_classes(classes)
        self._chosen_labels = self._class_labels(classes)
        # (N,) int64, places in the store
        self.clips = self._select(hold_out, self._chosen_labels, empty_clip, few_shot, data_ratio, indices)
        self._check_pixels()
        self.labels = self.store.label[self.clips].astype(np.int64)
        if relabel:
            self.glosses = list(classes)
            place = np.full(len(self.store.glosses), -1, dtype=np.int64)
            place[[self.store.glosses.index(gloss) for gloss in classes]] = np.arange(len(classes))
            self.labels = place[self.labels]
        if preload not in PRELOAD:
            raise UserValueError(f'{self.name}: preload is {preload!r}; choose one of {", ".join(PRELOAD)}')
        self.preload = preload
        source = (self.store, self.clips, self._joints, drop_empty_frames)
        self._source = (
            MappedClips(*source) if preload == 'none' else PreloadedClips(*source, preload, preload_gb)
        )
        self._labels = torch.from_numpy(self.labels).to(self.device)
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def _check_pixels(self) -> None:
        """Some clips, evenly spread, are looked at: stores of older versions may hold another unit than
        pixels.

        Raises:
            UnitError: Most of them do.
        """
        problems = []
        sample = self.clips[:: -(-len(self.clips) // UNIT_SAMPLE)].tolist()
        for place in sample:
            keypoints, scores = self.store.clip(place)
            finite = np.isfinite(keypoints).all(axis=-1)
            size = int(self.store.width[place]), int(self.store.height[place])
            problem = PixelCheck(*size).add(keypoints[finite], scores[finite]).problem()
            if problem:
                problems.append(f'clip {self.store.video_ids(np.asarray([place]))[0]!r}: {problem}')
        if not problems:
            return
        text = (
            f'{self.store.folder}: {len(problems)} of {len(sample)} clips that were looked at are not in '
            'pixels; '
            f'{problems[0]}. tools/misc/verify_dataset.py names all such clips; prepare the store again'
        )
        if len(problems) > len(sample) / 2:
            raise UnitError(text)
        print_log(text, logger='current', level=logging.WARNING)

    @staticmethod
    def _read_classes(classes: Union[Sequence[str], str, None]) -> Optional[Sequence[str]]:
        if isinstance(classes, str) and os.path.isdir(classes):
            return PoseStore(classes).glosses
        if isinstance(classes, str) and os.path.isfile(classes):
            return [gloss for _, gloss in text_lines(classes)]
        return classes

    def _class_labels(self, classes: Optional[Sequence[str]]) -> Optional[List[int]]:
        if classes is None:
            return None
        place = {gloss: label for label, gloss in enumerate(self.glosses)}
        unknown = [gloss for gloss in classes if gloss not in place]
        if unknown or isinstance(classes, str) or len(set(classes)) < len(classes) or not classes:
            near = (
                {gloss: difflib.get_close_matches(gloss, place, n=2) for gloss in unknown[:5]}
                if not isinstance(classes, str)
                else {}
            )
            raise UserValueError(
                f'{self.store.folder}: classes must be a list of distinct glosses of the store; unknown: '
                f'{unknown[:10]}; near ones: {near}; '
                f'the store has {len(place)}, see `glosses` in its meta.json'
            )
        return sorted(place[gloss] for gloss in classes)

    def _select(
        self,
        hold_out: Optional[dict],
        classes: Optional[List[int]],
        empty_clip: str,
        few_shot: Optional[dict],
        data_ratio: Optional[dict],
        indices: Union[int, Sequence[int], None],
    ) -> np.ndarray:
        store = self.store
        if empty_clip not in EMPTY_CLIP:
            raise UserValueError(
                f'{self.name}: empty_clip is {empty_clip!r}; choose one of {", ".join(EMPTY_CLIP)}'
            )
        chosen = np.ones(len(store), dtype=bool)
        steps = []
        if self.split is not None:
            counts = store.split_counts()
            if not self.split or any(not counts.get(name) for name in self.split):
                raise UserValueError(
                    f'{store.folder}: split {self.split} has no clips; splits there: {counts}'
                )
            chosen &= np.isin(store.split_code, [store.split_names.index(name) for name in self.split])
            steps.append(f'split={self.split}')
        if hold_out is not None:
            chosen = self._part(chosen, hold_out)
            steps.append('hold_out')
        if classes is not None:
            chosen &= np.isin(store.label, classes)
            steps.append('classes')
        if empty_clip != 'keep':
            empty = chosen & (np.add.reduceat(store.hand_flags > 0, store.offset, dtype=np.int64) == 0)
            if empty_clip == 'error' and empty.any():
                first = np.flatnonzero(empty)[:5]
                raise UserValueError(
                    f'{store.folder}: {empty.sum()} clips show no hand in any frame, the first: '
                    f'{store.video_ids(first)}; '
                    "use empty_clip='keep' or 'drop', or extract them again"
                )
            chosen &= ~empty
            steps.append('empty_clip')
        clips = np.flatnonzero(chosen)
        if few_shot is not None:
            pool = range(len(store.glosses)) if classes is None else classes
            clips = few_shot_indices(
                store.label, clips, pool, **_options(self.name, 'few_shot', few_shot, ('shots', 'seed'))
            )
            steps.append('few_shot')
        if data_ratio is not None and len(clips):
            clips = data_ratio_indices(
                store.label, clips, **_options(self.name, 'data_ratio', data_ratio, ('ratio', 'seed'))
            )
        if indices is not None:
            places = (
                np.arange(min(indices, len(clips)))
                if isinstance(indices, int)
                else np.asarray(indices, dtype=np.int64)
            )
            if len(places) and (places.min() < 0 or places.max() >= len(clips)):
                raise UserValueError(
                    f'{self.name}: indices reach from {places.min()} to {places.max()}, but '
                    f'{len(clips)} clips are left'
                )
            clips = clips[places]
            steps.append('indices')
        if not len(clips):
            raise UserValueError(
                f'{store.folder}: no clips are left after {", ".join(steps)}; splits there: '
                f'{store.split_counts()}'
            )
        return clips

    def _part(self, chosen: np.ndarray, hold_out: dict) -> np.ndarray:
        if not isinstance(hold_out, dict) or not {'part'} <= set(hold_out) <= {
            'part',
            'share',
            'names',
            'by',
            'seed',
        }:
            raise UserValueError(
                f'{self.name}: hold_out is {hold_out!r}; give dict(part=.., share=..), and if '
                "wanted names, by='clip', seed"
            )
        try:
            kept = hold_out_indices(self.store.label, self.store.signer, np.flatnonzero(chosen), **hold_out)
        except ValueError as error:
            raise UserValueError(f'{self.store.folder}: {error}') from None
        return np.isin(np.arange(len(chosen)), kept)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def clip_len(self) -> Optional[int]:
        """Frames of each clip in a batch; None where it depends on the batch."""
        return self.temporal.clip_len if self.temporal else None

    @property
    def device(self) -> torch.device:
        """Where batches come out."""
        return self._source.device

    @property
    def epoch(self) -> int:
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch's numbers to draw; worker processes see it, persistent ones too."""
        self._epoch.fill_(epoch)

    def set_seed(self, seed: int) -> None:
        """The run's seed, for draws that the config gives none."""
        self.seed = seed if self.seed is None else self.seed

    def get_cat_ids(self, index: int) -> List[int]:
        """The clip's label, as mmengine's ClassBalancedDataset asks for it."""
        return [int(self.labels[index])]

    @cached_property
    def metainfo(self) -> dict:
        """What metrics, visualizers and checkpoints keep: dataset, glosses (and as ``classes``, mmengine's
        word), layout, extractor, coverage.

        And ``fps``, the rate that all clips have, at which inference then reads videos: that of an extraction
        with ``--fps``, or of videos that are alike. None where they differ, or one is unknown.
        """
        return dict(
            dataset=self.name,
            glosses=self.glosses,
            classes=self.glosses,
            layout=self.layout.name,
            extractor=self.store.extractors,
            coverage=[self.coverage_row()],
            fps=common_rate(self.store.fps[self.clips]),
        )

    def clips_of_split(self, chosen: bool = False) -> np.ndarray:
        """Places (N,) in the store of all clips of the splits, whatever other options leave; with ``chosen``
        only those of ``classes``.
        """
        store = self.store
        found = np.ones(len(store), bool)
        if self.split is not None:
            found = np.isin(store.split_code, [store.split_names.index(name) for name in self.split])
        if chosen and self._chosen_labels is not None and len(self._chosen_labels) < len(store.glosses):
            found &= np.isin(store.label, self._chosen_labels)
        return np.flatnonzero(found)

    def coverage_row(self) -> dict:
        """This data set's row in :meth:`ConcatPoseDataset.coverage`.

        Where the store tells its coverage: ``expected`` and ``present``, clips that the annotations list and
        that the store holds, of the same splits and classes; ``split_expected`` and ``split_present``, of all
        classes, where it does not tell them by class.
        """
        split = '+'.join(self.split) if self.split else 'all'
        glosses = len(np.unique(self.labels[self.labels >= 0]))
        row = dict(name=self.name, folder=self.store.folder, split=split, clips=len(self), glosses=glosses)
        chosen = self._chosen_labels
        if chosen is not None and len(chosen) == len(self.store.glosses):
            chosen = None
        for prefix, labels in (('', chosen), ('split_', None)):
            counts = self.store.expected_and_present(self.split, labels)
            if counts is not None:
                return dict(row, **{f'{prefix}expected': counts[0], f'{prefix}present': counts[1]})
        return row

    def __repr__(self) -> str:
        return (
            f'PoseDataset({self.name!r}, split={self.split}, {len(self)} clips, {self.layout.name}, '
            f'{self.temporal})'
        )

    def __getitem__(self, index: int) -> dict:
        """One clip: as :meth:`__getitems__`, without the batch axis."""
        batch = self.__getitems__([range(len(self))[index]])
        item = dict(inputs={name: value[0] for name, value in batch['inputs'].items()})
        if self.test_mode:
            item['video_id'] = batch['video_id'][0]
        return item

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch.

        Returns:
            dict: ``inputs`` holds keypoints (B, T, V, 2) float32 in pixels; scores (B, T, V) float32 in [0,
                1], 0 = missing joint (coordinates 0 too); length (B,) int64, real frames, the rest is padding
                with score 0; image_size (B, 2) float32, width and height; index, epoch, label (B,) int64,
                label -1 = none; frames (B, T) int64, positions in the stored clip, 0 in the padding. In
                ``test_mode`` there is also ``video_id``, list[str].
        """
        places = torch.as_tensor(indices, dtype=torch.int64)
        return self.batch(places, places, self.epoch)

    def batch(self, places: Tensor, index: Tensor, epoch: int) -> dict:
        """A batch whose clips go by other indices than their places here, as in a concatenation.

        Args:
            places (Tensor): Shape (B,) int64, places in this data set.
            index (Tensor): Shape (B,) int64, what names the clip in ``index`` and in the draws.
            epoch (int): The epoch.

        Returns:
            dict: As :meth:`__getitems__`.
        """
        if self.preload == 'device' and get_worker_info() is not None:
            raise UserValueError(
                f"{self.name}: preload='device' gathers batches in the main process: set the "
                "loader's num_workers=0"
            )
        names = self.store.video_ids(self.clips[places.numpy()]) if self.test_mode else None
        places, index = (to_device(tensor, self.device) for tensor in (places, index))
        draws = Draws(self.seed or 0, epoch, index)
        length, read = self._source.look_up(places)
        batch = sample_time(self.temporal, length, draws)
        real = torch.arange(batch['frames'].shape[1], device=self.device) < batch['length'][:, None]  # (B, T)
        keypoints, scores, frames = read(batch['frames'], real)
        inputs = dict(
            keypoints=keypoints,
            scores=scores,
            length=batch['length'],
            image_size=self._source.image_size(places),
            index=index,
            epoch=torch.full_like(index, epoch),
            label=self._labels[places],
            frames=frames,
        )
        out = dict(inputs=self.transforms(inputs, draws))
        if names is not None:
            out['video_id'] = names
        return out


def _options(name: str, field: str, options: dict, known: Sequence[str]) -> Dict[str, object]:
    if not isinstance(options, dict) or set(options) != set(known):
        raise UserValueError(
            f'{name}: {field} is {options!r}; give dict({", ".join(f"{key}=.." for key in known)})'
        )
    return dict(options)
