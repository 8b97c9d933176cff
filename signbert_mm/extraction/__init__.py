"""Videos to poses: readers, extractors, and whole folders into a PoseStore."""

from .extract_folder import extract_folder
from .find_videos import IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_videos, image_clips
from .frames import Frame, VideoError, resample
from .image_folder import ImageFolderReader
from .mediapipe_extractor import MediaPipeExtractor
from .mmpose_extractor import MMPoseExtractor
from .person_detector import MMDetPersons, build_detector
from .person_tracker import PersonTracker
from .pose_extractor import PoseExtractor, build_extractor, extract_stream
from .rtmlib_extractor import RTMLibExtractor
from .video_reader import VideoReader, open_video

__all__ = [
    'IMAGE_SUFFIXES',
    'VIDEO_SUFFIXES',
    'Frame',
    'ImageFolderReader',
    'MMDetPersons',
    'MMPoseExtractor',
    'MediaPipeExtractor',
    'PersonTracker',
    'PoseExtractor',
    'RTMLibExtractor',
    'VideoError',
    'VideoReader',
    'build_detector',
    'build_extractor',
    'extract_folder',
    'extract_stream',
    'find_videos',
    'image_clips',
    'open_video',
    'resample',
]
