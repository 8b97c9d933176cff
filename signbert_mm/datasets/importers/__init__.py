"""Other formats into a PoseStore, one file a format; each gives clips for :func:`write_clips`."""

from .common import Clip, UnreadableError, write_clips
from .mptree import MPTreeClips
from .npz import NpzClips, words33_splits
from .pose_format import PoseFormatClips
from .pyskl import PysklClips, export_pyskl

__all__ = ['Clip', 'MPTreeClips', 'NpzClips', 'PoseFormatClips', 'PysklClips', 'UnreadableError', 'export_pyskl', 'words33_splits', 'write_clips']
