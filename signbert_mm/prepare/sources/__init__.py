"""Data sets as their owners ship them, into a PoseStore.

An index lists the clips (one file a data set), a source has the poses by video, :func:`convert` joins both.
"""

from .annotation import ClipRecord, SourceIndex
from .convert import convert
from .landmark_poses import LandmarkPoses
from .poses import PoseSource, VideoPose, open_poses

__all__ = ['ClipRecord', 'LandmarkPoses', 'PoseSource', 'SourceIndex', 'VideoPose', 'convert', 'open_poses']
