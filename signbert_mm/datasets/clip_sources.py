"""Sources of a data set's clips: the store's memory map, or tensors in memory."""

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
# Clips that are copied at once.
_BLOCK = 512

Read = Callable[[Tensor, Tensor], Tuple[Tensor, Tensor, Tensor]]


class MappedClips:
    """Clips read from a store's memory map when a batch asks for them.

    Args:
        store (PoseStore): The store.
        clips (ndarray): Shape (N,) int64, indices of clips in the store.
        joints (ndarray): Shape (V,) int64, joints of the store; -1 = absent.
        drop_empty_frames (bool): Leave out frames without a hand; a clip without any hand keeps all.

    Attributes:
        device (torch.device): Device of the batches.
    """

    device = torch.device('cpu')

    def __init__(
        self, store: PoseStore, clips: np.ndarray, joints: np.ndarray, drop_empty_frames: bool
    ) -> None:
        self.store, self.clips, self.joints, self.drop_empty_frames = store, clips, joints, drop_empty_frames

    def image_size(self, places: Tensor) -> Tensor:
        """Width and height in pixels, shape (B, 2) float32."""
        clips = self.clips[places.numpy()]
        return torch.from_numpy(
            np.stack([self.store.width[clips], self.store.height[clips]], axis=1).astype(np.float32)
        )

    def look_up(self, places: Tensor) -> Tuple[Tensor, Read]:
        """Returns the lengths of some clips and a function that reads their frames.

        Args:
            places (Tensor): Shape (B,) int64, indices among the N clips.

        Returns:
            tuple[Tensor, Callable]: The number of frames of each clip, (B,) int64, and ``read(frames,
            real)``. ``frames`` (B, T) int64 are indices among a clip's frames, and ``real`` (B, T) bool says
            which are not padding. It returns keypoints (B, T, V, 2) and scores (B, T, V), 0 in the padding,
            and positions in the stored clip (B, T).
        """
        clips = self.clips[places.numpy()]
        start, length = self.store.offset[clips], self.store.length[clips].astype(np.int64)
        # Rows that remain, one clip after the other; None = all.
        kept = None
        # The length must be known before time is sampled; keypoints are read after that.
        if self.drop_empty_frames:
            kept, length = kept_rows(start, length, self.store.hand_flags)

        def read(frames: Tensor, real: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            index, is_real = frames.numpy(), real.numpy()
            # (B, T)
            rows = (
                start[:, None] + index
                if kept is None
                else kept[(np.cumsum(length) - length)[:, None] + index]
            )
            # An absent joint (-1) reads joint 0 and is zeroed below: one indexed read for all joints.
            # (B, T, V, 3)
            values = self.store.read(rows, np.maximum(self.joints, 0))
            self.store.check_hands(rows, values, self.joints)
            values[~is_real] = 0
            values[:, :, self.joints < 0] = 0
            keypoints, scores = (
                torch.from_numpy(np.ascontiguousarray(part)) for part in (values[..., :2], values[..., 2])
            )
            # A sum is not finite if any number is not; the slow search for the clip follows only then.
            if not np.isfinite(float(keypoints.sum()) + float(scores.sum())):
                self.store.refuse_numbers(clips, rows)
            return keypoints, scores, torch.from_numpy((rows - start[:, None]) * is_real)

        return torch.from_numpy(length), read


class PreloadedClips:
    """Clips copied into memory, from which batches are gathered.

    Only the joints and frames that a batch can ask for are kept, in the store's data type. Batches equal
    those of :class:`MappedClips` bit for bit. On a GPU nothing waits for the device.

    Args:
        store, clips, joints, drop_empty_frames: As in :class:`MappedClips`.
        kind (str): 'memory' = the host's memory; 'device' = the process's GPU, or the host's memory without a
            GPU.
        limit_gb (float, optional): Limit in GB (10^9 bytes); None = half of what is free there now.

    Raises:
        ValueError: The clips need more than the limit, contain a number that is not finite, or lost a part.
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
        # Two coordinates and a score per joint, a position per frame, 24 bytes of numbers per clip.
        need = (frames * (len(joints) * 3 * dtype.itemsize + 4 * drop_empty_frames) + 24 * len(clips)) / 1e9
        limit = _free_gb(self.device) / 2 if limit_gb is None else limit_gb
        summary = (
            f'{len(clips)} clips, {frames} frames of {len(joints)} joints, {store.meta["dtype"]}: '
            f'{need:.3f} GB on {self.device}'
        )
        if need > limit:
            raise UserValueError(
                f'{store.folder}: preload={kind!r} needs more than its limit of {limit:.3f} GB ({summary}). '
                'Set preload_gb higher if memory allows, '
                "choose a layout of fewer joints, prepare the store with dtype='int16', or leave it to "
                "preload='none'"
            )
        self.length = torch.from_numpy(length).to(self.device)
        # (N,)
        self.begin = self.length.cumsum(0) - self.length
        self.size = torch.from_numpy(
            np.stack([store.width[clips], store.height[clips]], axis=1).astype(np.float32)
        ).to(self.device)
        self.keypoints = torch.empty(frames, len(joints), 2, dtype=dtype, device=self.device)
        self.scores = torch.empty(frames, len(joints), dtype=dtype, device=self.device)
        # (sum_T,): positions in the stored clips. Without dropping they are the frame indices themselves.
        self.position = (
            torch.empty(frames, dtype=torch.int32, device=self.device) if drop_empty_frames else None
        )
        self._fill(store, clips, joints)
        print_log(
            f'preload={kind!r}: {store.folder}: {summary} (limit {limit:.3f} GB)',
            logger='current',
            level=logging.INFO,
        )

    def _fill(self, store: PoseStore, clips: np.ndarray, joints: np.ndarray) -> None:
        # In blocks, so that the host never holds a second copy of all clips.
        end = 0
        for block in _blocks(clips):
            rows, length = _rows(store, block, self.position is not None)
            # (R, V, 3)
            values = store.stored(rows, np.maximum(joints, 0))
            store.check_hands(rows, values, joints)
            values[:, joints < 0] = 0
            if values.dtype.kind == 'f' and not np.isfinite(values).all():
                store.refuse_numbers(block, np.split(rows, np.cumsum(length)[:-1]))
            part = slice(end, end + len(rows))
            end += len(rows)
            self.keypoints[part] = torch.from_numpy(values[..., :2]).to(self.device)
            self.scores[part] = torch.from_numpy(values[..., 2]).to(self.device)
            if self.position is not None:
                self.position[part] = torch.from_numpy(
                    (rows - np.repeat(store.offset[block], length)).astype(np.int32)
                ).to(self.device)

    def image_size(self, places: Tensor) -> Tensor:
        """As :meth:`MappedClips.image_size`."""
        return self.size[places]

    def look_up(self, places: Tensor) -> Tuple[Tensor, Read]:
        """As :meth:`MappedClips.look_up`, with ``places`` on ``device``."""

        def read(frames: Tensor, real: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            rows = self.begin[places][:, None] + frames
            keypoints, scores = (
                part.index_select(0, rows.flatten()).unflatten(0, rows.shape)
                for part in (self.keypoints, self.scores)
            )
            # The same operations as in PoseStore.read, so that both sources agree bit for bit.
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
    """Copies a small host tensor to ``device`` without waiting for it."""
    # Only from pinned memory is a copy asynchronous.
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == 'cuda' else tensor


def kept_rows(start: np.ndarray, length: np.ndarray, flags: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Rows in which a hand was detected; a clip without any hand keeps all rows.

    Args:
        start, length (ndarray): Shape (B,), the clips' rows.
        flags (ndarray): Shape (sum_T,), above 0 where a hand was detected.

    Returns:
        tuple[ndarray, ndarray]: Rows, one clip after the other, and the number of each clip's rows (B,).
    """
    begin = np.cumsum(length) - length
    # Row r of clip b is start[b] + r; `begin` is the clip's first index in the flat array.
    rows = np.arange(length.sum()) + np.repeat(start - begin, length)
    detected = flags[rows] > 0
    # The sum over each clip's rows, without a loop.
    count = np.add.reduceat(detected, begin, dtype=np.int64)
    detected |= np.repeat(count == 0, length)
    return rows[detected], np.where(count == 0, length, count)


def _blocks(clips: np.ndarray) -> list:
    return np.split(clips, range(_BLOCK, len(clips), _BLOCK))


def _rows(store: PoseStore, clips: np.ndarray, drop_empty_frames: bool) -> Tuple[np.ndarray, np.ndarray]:
    """Rows of some clips, one clip after the other, and the number of each clip's rows."""
    start, length = store.offset[clips], store.length[clips].astype(np.int64)
    if drop_empty_frames:
        return kept_rows(start, length, store.hand_flags)
    return np.arange(length.sum()) + np.repeat(start - (np.cumsum(length) - length), length), length


def _free_gb(device: torch.device) -> float:
    """Free memory of the GPU, or the memory that a process can still have on the host, in GB."""
    if device.type == 'cuda':
        return torch.cuda.mem_get_info(device)[0] / 1e9
    # MemAvailable counts the page cache as available, unlike the number of free pages.
    if os.path.exists('/proc/meminfo'):
        with open('/proc/meminfo') as file:
            for line in file:
                if line.startswith('MemAvailable:'):
                    return int(line.split()[1]) * 1024 / 1e9
    return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9
