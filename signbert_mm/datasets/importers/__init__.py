"""Other formats into a PoseStore, one file a format; each yields clips for :func:`write_clips`."""

from .common import Clip, write_clips
from .npz import NpzClips, words33_splits

__all__ = ['Clip', 'NpzClips', 'words33_splits', 'write_clips']
