"""Videos of a store's clips, for RGB networks (R in the papers' tables)."""

import contextlib
import errno
import os
import random
from functools import cached_property
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.logging import print_log

from ..draws import Draws
from ..errors import UserValueError
from ..files.video_formats import open_container
from ..registry import DATASETS
from .clip_dataset import ClipDataset
from .pose_dataset import PoseDataset
from .video_folder import SUFFIXES, VideoFolder


def build_video_steps(pipeline: Sequence[dict]) -> List[Any]:
    """Builds transforms of mmaction2 from configs without a scope."""
    # Imported here, because mmaction2 is optional.
    from ..compat import import_mmaction

    import_mmaction()
    from mmaction.registry import TRANSFORMS as MMACTION

    return [MMACTION.build(dict(step, _scope_='mmaction')) for step in pipeline]


def _check_format(path: str) -> None:
    """Refuses files that are no videos before mmaction2 opens them."""
    # mmaction2's readers open all that FFmpeg does, also playlists that name other files.
    import av

    try:
        open_container(path).close()
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, 'errno', None) == errno.EINVAL:
            raise UserValueError(
                f'{path}: no video, or a playlist, which could name other files; give the video itself'
            ) from error
        # Other faults are reported by mmaction2's reader.


def read_video(
    path: str, steps: Sequence[Any], number: int, label: int = -1, span: Optional[Tuple[int, int, int]] = None
) -> torch.Tensor:
    """Reads a video through mmaction2's transforms.

    Args:
        path (str): The file.
        steps (Sequence): Transforms of :func:`build_video_steps`.
        number (int): Seed of their random draws.
        label (int): The clip's label.
        span (tuple[int, int, int], optional): First frame, number of frames, and the total that these refer
            to. They are scaled to the video's own number of frames. None = the whole video.

    Returns:
        Tensor: imgs as the pipeline's ``FormatShape`` says, uint8 RGB.

    Raises:
        ValueError: The video cannot be read; the message names it.
    """
    _check_format(path)
    results: Dict[str, Any] = dict(filename=path, start_index=0, modality='RGB', label=label)
    with _seeded(number):
        for position, step in enumerate(steps):
            try:
                results = step(results)
            # A damaged file can raise almost anything.
            except Exception as error:
                raise UserValueError(
                    f'{path}: {type(step).__name__} failed: {type(error).__name__}: {error}'
                ) from error
            if results.get('total_frames') == 0:
                raise UserValueError(
                    f'{path}: its header gives no number of frames; write it anew: ffmpeg -i '
                    'FILE -c:v libx264 NEW.mp4'
                )
            # The first step opened the video, so its number of frames is known now.
            if position == 0 and span is not None:
                scale = results['total_frames'] / span[2]
                first, last = round(span[0] * scale), round((span[0] + span[1]) * scale)
                results.update(start_index=first, total_frames=max(1, last - first))
    return torch.from_numpy(np.ascontiguousarray(results['imgs']))


@DATASETS.register_module()
class SignVideoDataset(ClipDataset):
    """The clips of a :class:`PoseStore`, read from their videos by mmaction2's pipeline.

    Splits, labels and names are those of the poses. The random draws of mmaction2's transforms are a function
    of (seed, epoch, clip), never of the worker.

    Args:
        store (str): Folder of the store; its keypoints are not read.
        videos (str): Folder of the videos, ``<video_id>.mp4`` or another of ``suffixes``, one clip a file.
        pipeline (list[dict]): Transforms of mmaction2, without a scope, from ``PyAVInit`` to ``FormatShape``.
        split (str | list[str], optional): As in :class:`PoseDataset`.
        missing (str): What to do with clips whose video is absent: 'error', or 'drop', which logs how many.
        suffixes (Sequence[str], optional): Endings to try, in this order. None = all endings of videos, and a
            clip with two videos is an error.
        seed (int, optional): As in :class:`PoseDataset`.
        test_mode (bool): Draws do not depend on the epoch.
        **kwargs: Further options of :class:`PoseDataset` that select clips: ``hold_out``, ``classes``,
            ``relabel``, ``few_shot``, ``data_ratio``, ``indices``, ``prepare``.

    Raises:
        FileNotFoundError: The store or the folder does not exist, no clip has a video, or with
            ``missing='error'`` one has none.
        ValueError: A clip has two videos, or an option is unknown.
    """

    def __init__(
        self,
        store: Union[str, os.PathLike],
        videos: Union[str, os.PathLike],
        pipeline: Sequence[dict],
        split: Union[str, Sequence[str], None] = None,
        missing: str = 'error',
        suffixes: Optional[Sequence[str]] = None,
        seed: Optional[int] = None,
        test_mode: bool = False,
        **kwargs,
    ) -> None:
        if missing not in ('error', 'drop'):
            raise UserValueError(f"SignVideoDataset: missing must be 'error' or 'drop', got {missing!r}")
        # Selects the clips; its keypoints are never read.
        self.poses = PoseDataset(store, split, drop_empty_frames=False, seed=seed, test_mode=True, **kwargs)
        self.parts = (self.poses,)
        self.videos, self.test_mode = os.fspath(videos), test_mode
        if not os.path.isdir(self.videos):
            raise FileNotFoundError(f'{os.path.abspath(self.videos)}: no such folder of videos; set `videos`')
        names = self.poses.store.video_ids(self.poses.clips)
        self._folder = VideoFolder(self.videos, suffixes)
        paths = [self._folder.find(name) for name in names]
        absent = [name for name, path in zip(names, paths) if path is None]
        if len(absent) == len(names) or (absent and missing == 'error'):
            more = ', ...' if len(absent) > 5 else ''
            raise FileNotFoundError(
                f'{self.videos}: {len(absent)} of {len(names)} videos are not there '
                f'({", ".join(absent[:5])}{more}), looked for as <video_id> with '
                f"{', '.join(suffixes or SUFFIXES)}; missing='drop' leaves such clips out"
            )
        self.places = [index for index, path in enumerate(paths) if path is not None]
        self.files: List[str] = [path for path in paths if path is not None]
        self.names = [names[index] for index in self.places]
        self.labels = self.poses.labels[self.places]
        if absent:
            print_log(
                f'{self.poses.name}: {len(absent)} of {len(names)} clips have no video in '
                f'{self.videos} and are left out',
                logger='current',
            )
        self.steps = build_video_steps(pipeline)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def glosses(self) -> List[str]:
        return self.poses.glosses

    @cached_property
    def metainfo(self) -> dict:
        """As :attr:`PoseDataset.metainfo`, with the coverage of the clips that have a video."""
        return dict(self.poses.metainfo, coverage=[self.coverage_row()])

    def coverage_row(self) -> dict:
        """As :meth:`PoseDataset.coverage_row`, for clips that have poses and a video.

        ``present`` and ``split_present`` count these. If the store does not record its coverage and videos
        are absent, ``expected`` is the number of clips that the options select.
        """
        glosses = len(np.unique(self.labels[self.labels >= 0]))
        row = dict(self.poses.coverage_row(), clips=len(self), glosses=glosses)
        if 'expected' in row:
            row['present'] = self._with_video(self.poses.clips_of_split(chosen=True))
        elif 'split_expected' in row:
            row['split_present'] = self._with_video(self.poses.clips_of_split())
        elif len(self) < len(self.poses):
            row.update(expected=len(self.poses), present=len(self))
        return row

    def _with_video(self, clips: np.ndarray) -> int:
        """Counts the clips of the store that have a video."""
        # Videos of the selected clips were looked up before; only the others are searched for.
        unknown = np.setdiff1d(clips, self.poses.clips)
        known = int(np.isin(self.poses.clips[self.places], clips).sum())
        return known + sum(
            self._folder.find(name) is not None for name in self.poses.store.video_ids(unknown)
        )

    def __getitems__(self, indices: Sequence[int]) -> List[Dict[str, object]]:
        return [self.item(index) for index in indices]

    def item(self, index: int) -> Dict[str, object]:
        """One clip.

        Returns:
            dict: ``inputs``: imgs (views, C, T, H, W) or, as the pipeline's ``FormatShape`` says, (frames, C,
                H, W), uint8 RGB; label, index, epoch and length (1) int64 scalars. ``video_id``: str.

        Raises:
            ValueError: The video cannot be read; the message names it.
        """
        place = index % len(self)
        epoch = 0 if self.test_mode else self.poses.epoch
        number = Draws(self.poses.seed or 0, epoch, torch.tensor([index])).integers('video', 2**31 - 1)
        imgs = read_video(self.files[place], self.steps, int(number[0]), int(self.labels[place]))
        numbers = dict(label=int(self.labels[place]), index=index, epoch=epoch, length=1)
        return dict(
            inputs=dict(imgs=imgs, **{key: torch.tensor(value) for key, value in numbers.items()}),
            video_id=self.names[place],
        )


@contextlib.contextmanager
def _seeded(number: int) -> Iterator[None]:
    """Seeds numpy's and Python's generators inside the block, and restores them after it."""
    before = np.random.get_state(), random.getstate()
    np.random.seed(number)
    random.seed(number)
    try:
        yield
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
