"""Videos to poses: readers, extractors, and whole folders into a PoseStore.

What needs torch is imported on first use.
"""

from ..lazy import lazy_names
from .extract_folder import extract_folder
from .find_videos import IMAGE_SUFFIXES, VIDEO_SUFFIXES, find_videos, image_clips
from .frames import Frame, VideoError, resample
from .image_folder import ImageFolderReader
from .mediapipe_extractor import MediaPipeExtractor
from .mediapipe_hands_pose import MediaPipeHandsPose
from .mediapipe_tasks import MediaPipeTasks
from .person_tracker import PersonTracker
from .pose_extractor import PoseExtractor, build_extractor, extract_stream
from .rtmlib_extractor import RTMLibExtractor
from .video_reader import VideoReader, open_video

_LATER = {
    'mmpose_extractor': ['MMPoseExtractor'],
    'person_detector': ['MMDetPersons', 'build_detector'],
}
__getattr__, __dir__, _later = lazy_names(__name__, _LATER)

__all__ = [
    'IMAGE_SUFFIXES',
    'VIDEO_SUFFIXES',
    'Frame',
    'ImageFolderReader',
    'MediaPipeExtractor',
    'MediaPipeHandsPose',
    'MediaPipeTasks',
    'PersonTracker',
    'PoseExtractor',
    'RTMLibExtractor',
    'VideoError',
    'VideoReader',
    'build_extractor',
    'extract_folder',
    'extract_stream',
    'find_videos',
    'image_clips',
    'open_video',
    'resample',
    *_later,
]
