"""What the importers share."""

from dataclasses import dataclass
from typing import Iterable

import numpy as np

from ..pose_store import PoseStore, PoseStoreWriter


class UnreadableError(ValueError):
    """This one file cannot be read; the others may."""


@dataclass
class Clip:
    """One clip on its way into a :class:`PoseStoreWriter`; fields as in its ``add``."""

    keypoints: np.ndarray
    label: int
    split: str
    video_id: str
    width: int
    height: int
    signer: str = ''
    fps: float = 0.0


def write_clips(writer: PoseStoreWriter, clips: Iterable[Clip]) -> PoseStore:
    """Adds all clips and closes the writer; an error leaves nothing behind."""
    with writer:
        for clip in clips:
            writer.add(**vars(clip))
        return writer.close()
