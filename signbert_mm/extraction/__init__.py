"""Videos to poses: readers, extractors, and whole folders into a PoseStore."""

from .extract_folder import extract_folder
from .find_videos import VIDEO_SUFFIXES, find_videos
from .mediapipe_extractor import MediaPipeExtractor
from .pose_extractor import PoseExtractor, build_extractor, extract_stream
from .video_reader import Frame, VideoError, VideoReader, open_video

__all__ = [
    'VIDEO_SUFFIXES',
    'Frame',
    'MediaPipeExtractor',
    'PoseExtractor',
    'VideoError',
    'VideoReader',
    'build_extractor',
    'extract_folder',
    'extract_stream',
    'find_videos',
    'open_video',
]
