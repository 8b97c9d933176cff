"""Extracts poses by RTMPose through rtmlib and onnxruntime, without MMPose."""

from importlib import metadata
from typing import Any, Dict, List, Optional

import numpy as np

from ..errors import UserModuleNotFoundError
from .person_tracker import PersonTracker
from .pose_extractor import PoseExtractor


class RTMLibExtractor(PoseExtractor):
    """rtmlib's ``Wholebody``: a YOLOX detector and an RTMPose or RTMW model in onnxruntime.

    It downloads its models unless files are given. The largest person is followed through the clip
    (:class:`PersonTracker`), and only that person's joints are estimated.

    Args:
        mode (str): 'performance', 'balanced' or 'lightweight'.
        backend (str): 'onnxruntime', 'opencv' or 'openvino'.
        device (str): 'cpu' or 'cuda'.
        models (dict, optional): ``Wholebody``'s ``det``, ``det_input_size``, ``pose``, ``pose_input_size``,
            to use local files.

    Raises:
        ModuleNotFoundError: rtmlib is not installed.
    """

    name = 'rtmlib'

    def __init__(
        self,
        mode: str = 'balanced',
        backend: str = 'onnxruntime',
        device: str = 'cpu',
        models: Optional[Dict[str, Any]] = None,
    ) -> None:
        try:
            import rtmlib
        except ModuleNotFoundError as error:
            raise UserModuleNotFoundError(
                f'no package {error.name}: pip install rtmlib onnxruntime (it '
                'downloads its models when first used)'
            ) from error
        try:
            self.version = metadata.version('rtmlib')
        except metadata.PackageNotFoundError:
            self.version = getattr(rtmlib, '__version__', 'unknown')
        self._facts = dict(mode=mode, backend=backend, models=models or {})
        self._wholebody = rtmlib.Wholebody(
            mode=mode, backend=backend, device=device, to_openpose=False, **(models or {})
        )
        # The detector returns boxes above its own threshold, without scores.
        self._tracker = PersonTracker(min_score=0)

    def describe(self) -> Dict[str, Any]:
        return dict(self._facts)

    def reset(self) -> None:
        self._tracker.reset()

    def predict(self, items: List[np.ndarray]) -> np.ndarray:
        return np.stack([self._pose(np.ascontiguousarray(image[:, :, ::-1])) for image in items])

    def _pose(self, image: np.ndarray) -> np.ndarray:
        pose = np.zeros((self.layout.num_joints, 3), dtype=np.float32)
        boxes = np.asarray(self._wholebody.det_model(image), dtype=np.float64)
        box = self._tracker.update(boxes.reshape(-1, 4) if boxes.size == 0 else boxes[:, :4])
        if box is not None:
            joints, scores = self._wholebody.pose_model(image, bboxes=[box])[:2]
            pose[:, :2], pose[:, 2] = joints[0], scores[0]
        return pose
