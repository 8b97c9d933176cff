"""What the registry finds by name. It imports this module on the first look-up."""

from ..registry import EXTRACTORS
from .mediapipe_extractor import MediaPipeExtractor
from .mediapipe_hands_pose import MediaPipeHandsPose
from .mediapipe_tasks import MediaPipeTasks
from .mmpose_extractor import MMPoseExtractor
from .rtmlib_extractor import RTMLibExtractor

for _kind in (MediaPipeExtractor, MediaPipeHandsPose, MediaPipeTasks, MMPoseExtractor, RTMLibExtractor):
    EXTRACTORS.register_module(name=[_kind.name, _kind.__name__], module=_kind)
