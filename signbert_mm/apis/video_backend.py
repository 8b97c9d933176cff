"""A recogniser that reads frames (R of the papers' tables), fed with clips as ``tools/test.py`` feeds it."""

import threading
from typing import Any, Dict, List, Sequence, Union

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import nn
from torch.utils.data import default_collate

from ..datasets.video_dataset import build_video_steps, read_video
from ..draws import Draws
from ..errors import ConfigError, UserValueError
from .backend import Backend
from .pose_clip import PoseClip
from .torch_backend import dataset_config


class VideoBackend(Backend):
    """As :class:`TorchBackend`, for models of a :class:`SignVideoDataset`: decodes the clips' videos through
    the config's test pipeline.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Raises:
        ConfigError: The config has no test data, whose pipeline this needs.
    """

    reads_videos = True

    def __init__(self, model: nn.Module, device: Union[str, torch.device]) -> None:
        node, trained = dataset_config(model.cfg, 'SignVideoDataset')
        if trained:
            raise ConfigError(
                f'config {model.cfg.get("filename", "")}: it has no test_dataloader, whose '
                'pipeline says how the model reads a video'
            )
        self.model, self._decoding = model.to(device).eval(), threading.Lock()
        self.steps = build_video_steps((node.to_dict() if isinstance(node, ConfigDict) else node)['pipeline'])
        self.glosses: List[str] = list((getattr(model, 'dataset_meta', None) or {}).get('glosses') or [])

    def _row(self, clip: PoseClip, index: int) -> Dict[str, Any]:
        if not clip.video:
            raise UserValueError(
                f'clip {clip.name!r}: this model reads frames, and there are poses alone. Give the video, '
                'for stores `videos`, a folder of '
                '<video_id>.mp4, or a PoseClip with `video`; a stream has no file, segments() of one does'
            )
        number = int(Draws(0, 0, torch.tensor([index])).integers('video', 2**31 - 1)[0])
        with self._decoding:  # mmaction2 draws from generators that all threads share
            imgs = read_video(clip.video, self.steps, number, clip.label, clip.span)
        return dict(imgs=imgs, label=clip.label, index=index, epoch=0, length=1)

    @torch.no_grad()
    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`Backend.run`; ``attention`` is None, ``frames`` are all positions in the clip.

        Raises:
            ValueError: A clip has no video, or it cannot be read.
        """
        inputs = default_collate([self._row(clip, first + place) for place, clip in enumerate(clips)])
        inputs = self.model.data_preprocessor(
            dict(inputs=inputs, video_id=[clip.name for clip in clips]), training=False
        )['inputs']
        samples = self.model(inputs, mode='predict')
        return [
            dict(scores=sample.pred_scores.numpy(), attention=None, frames=np.arange(len(clip)))
            for sample, clip in zip(samples, clips)
        ]
