"""Clips of one PoseStore, served as whole batches."""

import logging
import os
from functools import cached_property
from typing import Optional, Sequence, Union

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import get_worker_info

from ..draws import Draws
from ..errors import UserValueError
from ..layouts import get_layout, layout_mapping
from ..registry import DATASETS
from .clip_dataset import EpochDataset
from .clip_selection import class_labels, read_classes, select_clips
from .clip_sources import PRELOAD, MappedClips, PreloadedClips, to_device
from .pixel_check import PixelCheck, UnitError
from .pose_store import PoseStore
from .store_format import common_rate
from .transforms.base import Compose
from .transforms.temporal import TemporalSample

# Clips whose unit is checked when a data set is opened.
UNIT_SAMPLE = 32


@DATASETS.register_module()
class PoseDataset(EpochDataset):
    """The clips of one store, or a subset of them.

    Clips are selected in this order: ``split``, ``hold_out``, ``classes``, ``empty_clip``, ``few_shot``,
    ``data_ratio``, ``indices``. They stay in the store's order. Torch's DataLoader calls
    :meth:`__getitems__`, which samples time and reads a whole batch at once. It reads only the sampled frames
    and the joints of ``layout``.

    Args:
        store (str): Folder of a :class:`PoseStore`.
        split (str | list[str], optional): Names of splits; None = all clips.
        layout (str): Layout of the returned keypoints; joints that the store lacks are missing (score 0).
        pipeline (list[dict]): Transforms. The first may be a temporal one, which sees lengths only; the
            others see the batch as read. Without a temporal one all frames are returned, padded to the
            longest clip of the batch.
        drop_empty_frames (bool): Leave out frames in which neither hand was detected, by the store's
            ``hand_rule``, before time is sampled. A clip without any hand keeps all frames.
        empty_clip (str): What to do with clips in which no frame has a hand: 'keep', 'drop' or 'error'.
        few_shot (dict, optional): ``dict(shots=k, seed=s)``, see :func:`few_shot_indices`; the classes are
            drawn in the vocabulary's order.
        data_ratio (dict, optional): ``dict(ratio=r, seed=s)``, see :func:`data_ratio_indices`.
        classes (list[str] | str, optional): Only clips of these glosses. A text names a store with these
            glosses, or a file with one gloss per line.
        relabel (bool): Labels become indices into ``classes`` instead of the store's vocabulary.
        indices (int | Sequence[int], optional): The number of clips from the first on, or indices, among the
            clips that the other options leave.
        stand_ins (bool): Let a body wrist stand in for a missing hand root and the reverse.
        side (str): Which hand the joints of a hand_21 store are: 'left' or 'right'.
        seed (int, optional): Seed of the draws in ``pipeline``; None = the run's seed, which the
            training loop sets (0 without it).
        test_mode (bool): The batch also names its clips: ``video_id``.
        preload (str): 'none' = read batches from the store's memory map. 'memory' = copy all clips into this
            process's memory. 'device' = copy them to its GPU and gather batches there; without a GPU, as
            'memory'. 'device' needs a loader without workers and without ``pin_memory``, which the tools set.
            Batches are the same bit for bit.
        preload_gb (float, optional): Limit of the preloaded clips in GB; None = half of the free memory.
        hold_out (dict, optional): ``dict(part='train', share=0.2)`` trains on the clips that
            ``dict(part='val', share=0.2)`` leaves: all clips of some signers are held out. Further keys are
            ``names``, ``by`` and ``seed``: see :func:`hold_out_indices`.
        prepare (str): The command that prepares this data set, for the message where it is absent.

    Raises:
        FileNotFoundError: The store does not exist.
        UnitError: Most of the sampled clips are not in pixels.
        ValueError: The store is damaged, a name is unknown, an option is out of range, no clip is left, or
            the clips need more memory than allowed (``preload``).
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
        super().__init__()
        if not os.path.isdir(store):
            how = prepare or 'one of tools/dataset_converters (each has --help)'
            raise FileNotFoundError(
                f'{os.path.abspath(store)}: no such folder. Prepare the data set with: '
                f'{how}; or correct `store`'
            )
        self.store = PoseStore(store)
        self.name = os.path.basename(self.store.folder)
        self.layout = get_layout(layout)
        # (V,) the store's joint of each joint of `layout`, -1 = absent
        self.joints = layout_mapping(self.store.layout, self.layout, stand_ins, side)
        self.seed, self.test_mode = seed, test_mode
        steps = Compose(pipeline).transforms
        # The temporal transform runs before any keypoint is read, so it is kept apart.
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
        classes = read_classes(classes)
        chosen_labels = class_labels(self.store, classes)
        self._chosen_labels = None if classes is None else sorted(chosen_labels)
        # (N,) int64, indices in the store
        self.clips = select_clips(
            self.store, self.split, hold_out, self._chosen_labels, empty_clip, few_shot, data_ratio, indices
        )
        self._check_pixels()
        self.labels = self.store.label[self.clips].astype(np.int64)
        if relabel:
            self.glosses = list(classes)
            # From the store's label to the index in `classes`.
            new_label = np.full(len(self.store.glosses), -1, dtype=np.int64)
            new_label[chosen_labels] = np.arange(len(classes))
            self.labels = new_label[self.labels]
        if preload not in PRELOAD:
            raise UserValueError(f'{self.name}: preload is {preload!r}; choose one of {", ".join(PRELOAD)}')
        self.preload = preload
        source = (self.store, self.clips, self.joints, drop_empty_frames)
        self._source = (
            MappedClips(*source) if preload == 'none' else PreloadedClips(*source, preload, preload_gb)
        )
        self._labels = torch.from_numpy(self.labels).to(self.device)

    def _check_pixels(self) -> None:
        """Checks the unit of some clips, as stores of older versions may not be in pixels.

        Raises:
            UnitError: Most of these clips are not in pixels.
        """
        problems = []
        # Evenly spread over the data set, at most UNIT_SAMPLE of them.
        sample = self.clips[:: -(-len(self.clips) // UNIT_SAMPLE)].tolist()
        for clip in sample:
            keypoints, scores = self.store.clip(clip)
            finite = np.isfinite(keypoints).all(axis=-1)
            size = int(self.store.width[clip]), int(self.store.height[clip])
            problem = PixelCheck(*size).add(keypoints[finite], scores[finite]).problem()
            if problem:
                problems.append(f'clip {self.store.video_ids(np.asarray([clip]))[0]!r}: {problem}')
        if not problems:
            return
        text = (
            f'{self.store.folder}: {len(problems)} of {len(sample)} clips that were looked at are not in '
            f'pixels; {problems[0]}. tools/misc/verify_dataset.py names all such clips; prepare the store '
            'again'
        )
        # A few odd clips are a fault of the data, most clips are a wrong unit.
        if len(problems) > len(sample) / 2:
            raise UnitError(text)
        print_log(text, logger='current', level=logging.WARNING)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def clip_len(self) -> Optional[int]:
        """Frames of each clip in a batch; None where it depends on the batch."""
        return self.temporal.clip_len if self.temporal else None

    @property
    def device(self) -> torch.device:
        """Device of the batches."""
        return self._source.device

    def set_seed(self, seed: int) -> None:
        """Sets the run's seed for the draws if the config has none."""
        self.seed = seed if self.seed is None else self.seed

    @cached_property
    def metainfo(self) -> dict:
        """Facts for metrics, visualizers and checkpoints.

        They are dataset, glosses (also as ``classes``, mmengine's word), layout, extractor, coverage and
        ``fps``. ``fps`` is the frame rate of all clips, at which inference then reads videos. It is None
        where rates differ or one is unknown.
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
        """Indices (N,) in the store of all clips of the splits, whatever the other options select.

        With ``chosen`` only clips of ``classes``.
        """
        store = self.store
        selected = np.ones(len(store), bool)
        if self.split is not None:
            selected = np.isin(store.split_code, [store.split_names.index(name) for name in self.split])
        if chosen and self._chosen_labels is not None and len(self._chosen_labels) < len(store.glosses):
            selected &= np.isin(store.label, self._chosen_labels)
        return np.flatnonzero(selected)

    def coverage_row(self) -> dict:
        """This data set's row in :meth:`ConcatPoseDataset.coverage`.

        If the store records its coverage, the row has ``expected`` and ``present``: the clips that the
        annotations list, and those that the store has, of the same splits and classes. If it does not record
        them by class, the row has ``split_expected`` and ``split_present``, of all classes.
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

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """Returns a batch.

        Returns:
            dict: ``inputs`` is a dict of

                - keypoints (B, T, V, 2) float32, pixels; 0 for missing joints;
                - scores (B, T, V) float32 in [0, 1]; 0 = missing joint, and 0 in the padding;
                - length (B,) int64, the number of real frames; the rest is padding;
                - image_size (B, 2) float32, width and height;
                - index, epoch, label (B,) int64; label -1 = none; of N clips, index i + r N is the (r + 1)-th
                  time of clip i in the epoch;
                - frames (B, T) int64, positions in the stored clip, 0 in the padding.

                In ``test_mode`` there is also ``video_id``, list[str].
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        return self.batch(self.places(index), index, self.epoch)

    def batch(self, places: Tensor, index: Tensor, epoch: int) -> dict:
        """Returns a batch whose clips have other indices than in this data set, as in a concatenation.

        Args:
            places (Tensor): Shape (B,) int64, indices in this data set.
            index (Tensor): Shape (B,) int64, the clips' indices in ``index`` and in the draws.
            epoch (int): The epoch.

        Returns:
            dict: As :meth:`__getitems__`.
        """
        if self.preload == 'device' and get_worker_info() is not None:
            raise UserValueError(
                f"{self.name}: preload='device' gathers batches in the main process: set the "
                "loader's num_workers=0"
            )
        # Names are looked up on the host, before the indices go to the device.
        names = self.store.video_ids(self.clips[places.numpy()]) if self.test_mode else None
        places, index = (to_device(tensor, self.device) for tensor in (places, index))
        draws = Draws(self.seed or 0, epoch, index)
        length, read = self._source.look_up(places)
        batch = dict(length=length)
        if self.temporal is None:
            position = torch.arange(int(length.max()), device=self.device)
            batch['frames'] = position * (position < length[:, None])
        else:
            batch = self.temporal(batch, draws)
        # (B, T): not padding
        real = torch.arange(batch['frames'].shape[1], device=self.device) < batch['length'][:, None]
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
