"""Where a data set's clips are read from: the memory map, or tensors that hold them whole."""

import logging
import os
from typing import Callable, Optional, Tuple

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from ..errors import UserValueError
from .pose_store import PoseStore
from .store_format import PIXEL_STEPS, SCORE_STEPS

PRELOAD = ('none', 'memory', 'device')
_BLOCK = 512  # clips that are copied at once

Read = Callable[[Tensor, Tensor], Tuple[Tensor, Tensor, Tensor]]


class MappedClips:
    """Clips read from a store's memory map when a batch asks for them.

    Args:
        store (PoseStore): The store.
        clips (ndarray): Shape (N,) int64, places in the store.
        joints (ndarray): Shape (V,) int64, joints of the store; -1 = absent.
        drop_empty_frames (bool): Leave out frames without a hand; a clip without any hand keeps all.

    Attributes:
        device (torch.device): Where batches come out.
    """

    device = torch.device('cpu')

    def __init__(
        self, store: PoseStore, clips: np.ndarray, joints: np.ndarray, drop_empty_frames: bool
    ) -> None:
        self.store, self.clips, self.joints, self.drop_empty_frames = store, clips, joints, drop_empty_frames

    def image_size(self, places: Tensor) -> Tensor:
        """Width and height, shape (B, 2) float32."""
        clips = self.clips[places.numpy()]
        return torch.from_numpy(
            np.stack([self.store.width[clips], self.store.height[clips]], axis=1).astype(np.float32)
        )

    def look_up(self, places: Tensor) -> Tuple[Tensor, Read]:
        """Some clips' lengths, and what reads their frames.

        Args:
            places (Tensor): Shape (B,) int64, places among the N clips.

        Returns:
            tuple[Tensor, Callable]: Frames a clip, (B,) int64, and a function of places among those frames
            (B, T) int64 and which of them are real (B, T) bool, that gives keypoints (B, T, V, 2) and scores
            (B, T, V), 0 where not real, and positions in the stored clip (B, T).
        """
        clips = self.clips[places.numpy()]
        start, length = self.store.offset[clips], self.store.length[clips].astype(np.int64)
        kept = None  # rows left, one clip after the other
        if self.drop_empty_frames:
            kept, length = kept_rows(start, length, self.store.hand_flags)

        def read(frames: Tensor, real: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            place, is_real = frames.numpy(), real.numpy()
            # (B, T)
            rows = (
                start[:, None] + place
                if kept is None
                else kept[(np.cumsum(length) - length)[:, None] + place]
            )
            values = self.store.read(rows, np.maximum(self.joints, 0))  # (B, T, V, 3)
            self.store.check_hands(rows, values, self.joints)
            values[~is_real] = 0
            values[:, :, self.joints < 0] = 0
            keypoints, scores = (
                torch.from_numpy(np.ascontiguousarray(part)) for part in (values[..., :2], values[..., 2])
            )
            if not np.isfinite(float(keypoints.sum()) + float(scores.sum())):
                self.store.refuse_numbers(clips, rows)
            return keypoints, scores, torch.from_numpy((rows - start[:, None]) * is_real)

        return torch.from_numpy(length), read


class PreloadedClips:
    """Clips held whole, as stored: the joints and frames that a batch could ask for, and no others; batches
    are gathered where they lie.

    Numbers equal those of :class:`MappedClips` bit for bit. On a GPU nothing waits for the device.

    Args:
        store, clips, joints, drop_empty_frames: As in :class:`MappedClips`.
        kind (str): 'memory' = the host's; 'device' = the process's GPU, or the host's memory where there is
            no GPU.
        limit_gb (float, optional): At most so many GB (10^9 bytes); None = half of what is free there now.

    Raises:
        ValueError: The clips need more than the limit, hold a number that is not finite, or lost a part.
    """

    def __init__(
        self,
        store: PoseStore,
        clips: np.ndarray,
        joints: np.ndarray,
        drop_empty_frames: bool,
        kind: str,
        limit_gb: Optional[float] = None,
    ) -> None:
        on_gpu = kind == 'device' and torch.cuda.is_available()
        self.device = torch.device('cuda', torch.cuda.current_device()) if on_gpu else torch.device('cpu')
        length = store.length[clips].astype(np.int64)
        if drop_empty_frames:
            length = np.concatenate([_rows(store, block, True)[1] for block in _blocks(clips)])
        frames, dtype = int(length.sum()), getattr(torch, store.meta['dtype'])
        need = (frames * (len(joints) * 3 * dtype.itemsize + 4 * drop_empty_frames) + 24 * len(clips)) / 1e9
        limit = _free_gb(self.device) / 2 if limit_gb is None else limit_gb
        told = (
            f'{len(clips)} clips, {frames} frames of {len(joints)} joints, {store.meta["dtype"]}: '
            f'{need:.3f} GB on {self.device}'
        )
        if need > limit:
            raise UserValueError(
                f'{store.folder}: preload={kind!r} needs more than its limit of {limit:.3f} GB ({told}). Set '
                'preload_gb higher where there is room, '
                "choose a layout of fewer joints, prepare the store with dtype='int16', or leave it to "
                "preload='none'"
            )
        self.length = torch.from_numpy(length).to(self.device)
        self.begin = self.length.cumsum(0) - self.length  # (N,)
        self.size = torch.from_numpy(
            np.stack([store.width[clips], store.height[clips]], axis=1).astype(np.float32)
        ).to(self.device)
        self.keypoints = torch.empty(frames, len(joints), 2, dtype=dtype, device=self.device)
        self.scores = torch.empty(frames, len(joints), dtype=dtype, device=self.device)
        # (sum_T,): positions in the stored clips; without dropping they are the places themselves
        self.position = (
            torch.empty(frames, dtype=torch.int32, device=self.device) if drop_empty_frames else None
        )
        self._fill(store, clips, joints)
        print_log(
            f'preload={kind!r}: {store.folder}: {told} (limit {limit:.3f} GB)',
            logger='current',
            level=logging.INFO,
        )

    def _fill(self, store: PoseStore, clips: np.ndarray, joints: np.ndarray) -> None:
        end = 0
        for block in _blocks(clips):
            rows, length = _rows(store, block, self.position is not None)
            values = store.stored(rows, np.maximum(joints, 0))  # (R, V, 3)
            store.check_hands(rows, values, joints)
            values[:, joints < 0] = 0
            if values.dtype.kind == 'f' and not np.isfinite(values).all():
                store.refuse_numbers(block, np.split(rows, np.cumsum(length)[:-1]))
            place = slice(end, end + len(rows))
            end += len(rows)
            self.keypoints[place] = torch.from_numpy(values[..., :2]).to(self.device)
            self.scores[place] = torch.from_numpy(values[..., 2]).to(self.device)
            if self.position is not None:
                self.position[place] = torch.from_numpy(
                    (rows - np.repeat(store.offset[block], length)).astype(np.int32)
                ).to(self.device)

    def image_size(self, places: Tensor) -> Tensor:
        """As :meth:`MappedClips.image_size`."""
        return self.size[places]

    def look_up(self, places: Tensor) -> Tuple[Tensor, Read]:
        """As :meth:`MappedClips.look_up`, ``places`` on ``device``."""

        def read(frames: Tensor, real: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            rows = self.begin[places][:, None] + frames
            keypoints, scores = (
                part.index_select(0, rows.flatten()).unflatten(0, rows.shape)
                for part in (self.keypoints, self.scores)
            )
            if keypoints.dtype is torch.int16:
                keypoints, scores = (
                    keypoints.to(torch.float32) * (1 / PIXEL_STEPS),
                    scores.to(torch.float32) * (1 / SCORE_STEPS),
                )
            keypoints.masked_fill_(~real[:, :, None, None], 0)
            scores.masked_fill_(~real[:, :, None], 0)
            return (
                keypoints,
                scores,
                frames if self.position is None else self.position[rows].to(torch.int64) * real,
            )

        return self.length[places], read


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A small host tensor on ``device``, without waiting for it."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == 'cuda' else tensor


def kept_rows(start: np.ndarray, length: np.ndarray, flags: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The rows in which a hand was found, of each clip that has any, and all rows of the others.

    Args:
        start, length (ndarray): Shape (B,), the clips' rows.
        flags (ndarray): Shape (sum_T,), above 0 where a hand was found.

    Returns:
        tuple[ndarray, ndarray]: Rows, one clip after the other, and how many each clip has (B,).
    """
    begin = np.cumsum(length) - length
    rows = np.arange(length.sum()) + np.repeat(start - begin, length)
    found = flags[rows] > 0
    count = np.add.reduceat(found, begin, dtype=np.int64)
    found |= np.repeat(count == 0, length)
    return rows[found], np.where(count == 0, length, count)


def _blocks(clips: np.ndarray) -> list:
    return np.split(clips, range(_BLOCK, len(clips), _BLOCK))


def _rows(store: PoseStore, clips: np.ndarray, drop_empty_frames: bool) -> Tuple[np.ndarray, np.ndarray]:
    """Rows of some clips, one clip after the other, and how many each has."""
    start, length = store.offset[clips], store.length[clips].astype(np.int64)
    if drop_empty_frames:
        return kept_rows(start, length, store.hand_flags)
    return np.arange(length.sum()) + np.repeat(start - (np.cumsum(length) - length), length), length


def _free_gb(device: torch.device) -> float:
    """GB that are free on the GPU, or that the kernel says a process can still have."""
    if device.type == 'cuda':
        return torch.cuda.mem_get_info(device)[0] / 1e9
    if os.path.exists('/proc/meminfo'):
        with open('/proc/meminfo') as file:
            for line in file:
                if line.startswith('MemAvailable:'):
                    return int(line.split()[1]) * 1024 / 1e9
    return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9
