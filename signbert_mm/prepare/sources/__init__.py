"""Data sets as their owners ship them, into a PoseStore: an index of the clips (one file a data set), poses
by video, and their conversion.
"""

from .annotation import ClipRecord, SourceIndex
from .convert import convert
from .poses import LandmarkPoses, PoseSource, VideoPose, open_poses

__all__ = ['ClipRecord', 'LandmarkPoses', 'PoseSource', 'SourceIndex', 'VideoPose', 'convert', 'open_poses']
