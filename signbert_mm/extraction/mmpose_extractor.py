"""Extracts whole-body poses by any top-down model of MMPose."""

import contextlib
import importlib
import os
from typing import Any, Dict, Iterator, List, Optional, Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.device import get_device
from mmengine.registry import DefaultScope

from .. import compat
from ..datasets.store_format import file_digest
from ..errors import UserValueError
from ..logs import print_log
from .parts import local_rank
from .person_detector import Detector, build_detector
from .person_tracker import PersonTracker
from .pose_extractor import PoseExtractor
from .wheel_configs import config_folder, find_config

CONFIGS = 'wholebody_2d_keypoint'
# Joints with a score above this make up the next frame's box.
_SURE = 0.3


class MMPoseExtractor(PoseExtractor):
    """Poses by a top-down whole-body config of MMPose's wheel with the user's weights.

    The config can be RTMPose, RTMW, HRNet and others. Frames are processed in batches. The person's box comes
    from a detector, whose largest person is followed through the clip (:class:`PersonTracker`), or without
    one from ``boxes``. Scores are the model's, clipped to [0, 1], since those of SimCC heads can be above 1.

    Args:
        config (str): The config's name in the wheel, a unique part of a name, or a file. The papers' is
            ``td-hm_hrnet-w48_dark-8xb32-210e_coco-wholebody-384x288``.
        checkpoint (str): Its weights, read without executing anything; 'random' = weights drawn with seed 0,
            for tests and for measuring speed.
        device (str, optional): For instance 'cuda:0'; None = the best available. Ranks and workers are spread
            over several GPUs.
        batch_size (int): Frames at once.
        boxes (str): Without a detector: 'frame' uses the whole frame, 'previous' the box round the joints of
            the previous frame (one frame at a time).
        detector (dict | Callable, optional): As for :func:`build_detector`.
        flip_test (bool, optional): Average with the mirrored frame; None = as the config says.

    Raises:
        ModuleNotFoundError: MMPose or what the detector needs is not installed.
        FileNotFoundError: There is no such config or checkpoint.
        CheckpointError: The checkpoint is not of this model, or is refused.
        ValueError: The config is no top-down model of 133 joints, or ``boxes`` or ``batch_size`` has no such
            value.
    """

    name = 'mmpose'

    def __init__(
        self,
        config: str,
        checkpoint: str,
        device: Optional[str] = None,
        batch_size: int = 16,
        boxes: str = 'frame',
        detector: Union[None, Dict[str, Any], Detector] = None,
        flip_test: Optional[bool] = None,
    ) -> None:
        if boxes not in ('frame', 'previous'):
            raise UserValueError(f"boxes is {boxes!r}; choose 'frame' or 'previous', or give a detector")
        if batch_size < 1:
            raise UserValueError(f'batch_size is {batch_size}; give 1 or more')
        self.version = compat.import_mmpose().__version__
        importlib.import_module('mmpose.datasets')
        path = find_config(config, 'mmpose', CONFIGS)
        cfg = compat.patch_rtmpose_config(Config.fromfile(path))
        # ``out_channels`` of a top-down head is its number of joints.
        joints = cfg.model.get('head', {}).get('out_channels')
        if cfg.model.type != 'TopdownPoseEstimator' or joints != self.layout.num_joints:
            raise UserValueError(
                f'{path}: a {cfg.model.type} of {joints} joints; a TopdownPoseEstimator of 133 '
                'whole-body joints is needed'
            )
        if flip_test is not None:
            cfg.model.test_cfg.flip_test = flip_test
        self.device = device or _device()
        self._model = _build(cfg, checkpoint, path).to(self.device).eval()
        with _mmpose_scope():
            self._pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
            from mmpose.datasets.datasets.utils import parse_pose_metainfo

            # The pipeline reads the joint pairs for flipping from the data set's description.
            self._meta = parse_pose_metainfo(
                dict(
                    from_file=os.path.join(config_folder('mmpose'), '_base_', 'datasets', 'coco_wholebody.py')
                )
            )
        self._detector, self._tracker = build_detector(detector, self.device), PersonTracker()
        self._boxes = 'detector' if self._detector is not None else boxes
        self.batch_size = 1 if self._boxes == 'previous' else batch_size
        self._last: Optional[np.ndarray] = None
        self._facts = dict(
            model=cfg.model.to_dict(),
            checkpoint=checkpoint if checkpoint == 'random' else file_digest(checkpoint)[:16],
            boxes=self._boxes,
            batch_size=self.batch_size,
        )
        if self._detector is not None:
            # A detector of the user's own may have no ``describe``; its name must do for the fingerprint.
            describe = getattr(self._detector, 'describe', None)
            self._facts['detector'] = (
                describe()
                if describe
                else getattr(self._detector, '__qualname__', type(self._detector).__qualname__)
            )

    def describe(self) -> Dict[str, Any]:
        return dict(self._facts)

    def reset(self) -> None:
        self._tracker.reset()
        self._last = None

    def prepare(self, image: np.ndarray) -> Optional[Dict[str, Any]]:
        box = self._box(image)
        if box is None:
            return None
        # MMPose reads BGR.
        image = np.ascontiguousarray(image[:, :, ::-1])
        with _mmpose_scope():
            return self._pipeline(
                dict(
                    self._meta,
                    img=image,
                    bbox=np.asarray(box, dtype=np.float32)[None],
                    bbox_score=np.ones(1, np.float32),
                )
            )

    def _box(self, image: np.ndarray) -> Optional[np.ndarray]:
        if self._detector is not None:
            return self._tracker.update(self._detector(image))
        if self._boxes == 'previous' and self._last is not None:
            return self._last
        return np.asarray([0, 0, image.shape[1], image.shape[0]])

    def predict(self, items: List[Optional[Dict[str, Any]]]) -> np.ndarray:
        poses = np.zeros((len(items), self.layout.num_joints, 3), dtype=np.float32)
        detected = [index for index, item in enumerate(items) if item is not None]
        if detected:
            with torch.no_grad(), _mmpose_scope():
                results = self._model.test_step(pseudo_collate([items[index] for index in detected]))
            for index, result in zip(detected, results):
                poses[index, :, :2] = result.pred_instances.keypoints[0]
                poses[index, :, 2] = result.pred_instances.keypoint_scores[0]
        if self._boxes == 'previous':
            confident = poses[-1, poses[-1, :, 2] > _SURE, :2]
            # Too few joints give no box, and the next frame is searched as a whole.
            self._last = np.concatenate([confident.min(0), confident.max(0)]) if len(confident) >= 5 else None
        return poses


def _device() -> str:
    device = get_device()
    return f'cuda:{local_rank() % torch.cuda.device_count()}' if device == 'cuda' else device


@contextlib.contextmanager
def _mmpose_scope() -> Iterator[None]:
    with DefaultScope.overwrite_default_scope('mmpose'):
        yield


def _build(cfg: Config, checkpoint: str, path: str) -> torch.nn.Module:
    from mmpose.registry import MODELS

    # Building draws random weights. The caller's generator keeps its state.
    with _mmpose_scope(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MODELS.build(cfg.model)
        if checkpoint == 'random':
            return model
    from ..files.checkpoints import CheckpointError, load_checkpoint_file

    state = load_checkpoint_file(checkpoint)
    state = state.get('state_dict', state)
    missing, unexpected = model.load_state_dict(
        # 'module.' comes from models saved inside DataParallel.
        {key[7:] if key.startswith('module.') else key: value for key, value in state.items()},
        strict=False,
    )
    if missing:
        raise CheckpointError(
            f'{checkpoint}: has no {missing[0]} ({len(missing)} weights missing): these '
            f'are not the weights of {path}'
        )
    if unexpected:
        print_log(
            f'{checkpoint}: {len(unexpected)} entries are not of this model and were left out, the '
            f'first: {unexpected[0]}',
            logger='current',
        )
    return model
