"""Detects people in a frame, for the top-down extractors."""

from typing import Any, Callable, Dict, Optional, Union

import numpy as np
from mmengine.utils import get_object_from_string

from .. import compat
from ..datasets.store_format import file_digest
from ..errors import UserModuleNotFoundError, UserTypeError
from .wheel_configs import find_config

INSTALL = (
    'a detector of mmdet needs pycocotools, shapely, terminaltables, and the full mmcv 2.1.0 for '
    'mmcv-lite (it compiles for minutes)'
)
Detector = Callable[[np.ndarray], np.ndarray]


class MMDetPersons:
    """People detected by mmdet, with a detector whose class 0 is a person, as in COCO.

    Args:
        config (str): A config of the mmdet wheel by name, for instance 'rtmdet_m_8xb32-300e_coco', or a file.
        checkpoint (str): Its weights.
        device (str): For instance 'cuda:0'.

    Raises:
        ModuleNotFoundError: mmdet, pycocotools or the operators of the full mmcv are missing.
    """

    def __init__(self, config: str, checkpoint: str, device: str = 'cpu') -> None:
        self._facts = dict(config=config, checkpoint=file_digest(checkpoint)[:16])
        # The stand-in operators would let mmdet start and fail at its first frame.
        if compat.patch_mmcv_ops() or compat.mmcv_ops_are_stubs():
            raise UserModuleNotFoundError(f'mmcv here is mmcv-lite: {INSTALL}')
        try:
            from mmdet.apis import inference_detector, init_detector
        except ModuleNotFoundError as error:
            raise UserModuleNotFoundError(f'no package {error.name}: {INSTALL}') from error
        compat.patch_checkpoint_loading()
        self._model = init_detector(find_config(config, 'mmdet'), checkpoint, device=device)
        self._infer = inference_detector

    def describe(self) -> Dict[str, Any]:
        return dict(self._facts)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Shape (N, 5): x1, y1, x2, y2 in pixels, score. ``image`` is RGB."""
        detections = self._infer(self._model, image[:, :, ::-1]).pred_instances.cpu().numpy()
        people = detections.labels == 0
        return np.concatenate([detections.bboxes[people], detections.scores[people, None]], axis=1)


def build_detector(cfg: Union[None, Dict[str, Any], Detector], device: str = 'cpu') -> Optional[Detector]:
    """Builds a detector from arguments of :class:`MMDetPersons`, or from ``type='module.Class'`` and its own.

    A callable is returned as it is.

    Raises:
        TypeError: It is neither, or the class cannot be built with these arguments.
    """
    if cfg is None or callable(cfg):
        return cfg
    if not isinstance(cfg, dict):
        raise UserTypeError(f'detector is {cfg!r}; give dict(config=..., checkpoint=...)')
    cfg = dict(cfg)
    kind = cfg.pop('type', 'MMDetPersons')
    if kind == 'MMDetPersons':
        return MMDetPersons(**dict(dict(device=device), **cfg))
    return get_object_from_string(kind)(**cfg)
