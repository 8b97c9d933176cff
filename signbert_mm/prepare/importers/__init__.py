"""Importers of other formats, one file a format; each yields clips for :func:`write_clips`."""

from .common import Clip, UnreadableError, write_clips
from .landmarks import assign_sides, hand_chirality, landmark_keypoints, read_landmarks, track_hands
from .mptree import MPTreeClips
from .npz import NpzClips, words33_splits
from .pose_format import PoseFormatClips
from .pose_format_writer import export_pose_format
from .pyskl import PysklClips, export_pyskl
from .sam_slr import SamSlrClips
from .unisign import UniSignClips

__all__ = [
    'Clip',
    'MPTreeClips',
    'NpzClips',
    'PoseFormatClips',
    'PysklClips',
    'SamSlrClips',
    'UniSignClips',
    'UnreadableError',
    'assign_sides',
    'export_pose_format',
    'export_pyskl',
    'hand_chirality',
    'landmark_keypoints',
    'read_landmarks',
    'track_hands',
    'words33_splits',
    'write_clips',
]
