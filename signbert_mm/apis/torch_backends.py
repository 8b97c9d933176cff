"""Runs recognisers in torch, on poses or on videos."""

import copy
import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import nn
from torch.utils.data import default_collate

from ..datasets.transforms import Compose, TemporalSample, without_masks
from ..datasets.transforms.base import run_steps
from ..datasets.video_dataset import build_video_steps, read_video
from ..draws import Draws
from ..errors import ConfigError, UserValueError
from ..registry import TRANSFORMS
from .backends import Backend
from .clips import InputSpec, PoseClip, make_batch
from .rejection import KEY as REJECTION_KEY
from .rejection import Rejection

# Temporal transforms of training draw. These changes make them repeatable, for configs without test data.
_STEADY = dict(
    RandomTemporalSample=dict(type='CenterTemporalSample'),
    RandomWindowSample=dict(type='UniformTemporalSample', test_mode=True),
    UniformTemporalSample=dict(test_mode=True),
)
# Arguments that both have.
_SAMPLING = ('type', 'clip_len', 'repeat', 'test_mode')


def dataset_config(cfg: Any, kind: str = 'PoseDataset') -> Tuple[dict, bool]:
    """Finds a config's data set of the type ``kind``.

    Returns:
        tuple[dict, bool]: The test data set, else that of validation, else of training; whether it is the
        training's.

    Raises:
        ConfigError: There is none.
    """
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        node = (cfg.get(name) or {}).get('dataset')
        # Wrappers, such as ConcatDataset, hold their data sets in `dataset` or `datasets`.
        while isinstance(node, dict) and node.get('type') != kind:
            node = node.get('dataset') or (node.get('datasets') or [None])[0]
        if node is not None:
            return node, name == 'train_dataloader'
    raise ConfigError(
        f'config {cfg.get("filename", "")}: no {kind} in it, so it does not say how the model '
        'reads clips; give it test_dataloader'
    )


def reads_videos(cfg: Any) -> bool:
    """Whether a config's data are videos."""
    try:
        dataset_config(cfg, 'SignVideoDataset')
    except ConfigError:
        return False
    return True


def spec_of_config(cfg: Any) -> Tuple[InputSpec, List[dict]]:
    """How a config's model reads clips, and the data set's transforms after the temporal one."""
    node, trained = dataset_config(cfg)
    plain = node.to_dict() if isinstance(node, ConfigDict) else copy.deepcopy(dict(node))
    steps = list(plain.get('pipeline') or [])
    temporal = None
    # A registered transform may be a function, which issubclass refuses.
    kind = TRANSFORMS.get(steps[0]['type']) if steps else None
    if isinstance(kind, type) and issubclass(kind, TemporalSample):
        temporal = steps.pop(0)
        if trained and temporal['type'] in _STEADY:
            kept = {key: value for key, value in temporal.items() if key in _SAMPLING}
            temporal = {**kept, **_STEADY[temporal['type']]}
    spec = InputSpec(
        plain.get('layout', 'sign_49'),
        plain.get('drop_empty_frames', True),
        plain.get('stand_ins', False),
        plain.get('side', ''),
        temporal,
    )
    return spec, steps


def glosses_of(model: nn.Module) -> List[str]:
    """The glosses in a model's checkpoint; [] where it has none."""
    return list((getattr(model, 'dataset_meta', None) or {}).get('glosses') or [])


def rejection_of(model: nn.Module) -> Optional[Rejection]:
    """The rejection in a model's checkpoint; None where it has none.

    Raises:
        ValueError: Its values are damaged, or it needs outputs that the head does not have.
    """
    rejection = Rejection.read((getattr(model, 'dataset_meta', None) or {}).get(REJECTION_KEY), 'checkpoint')
    if rejection is not None and rejection.method == 'known_odds' and not getattr(model, 'num_unknown', 0):
        raise UserValueError(
            "checkpoint: its rejection is by 'known_odds', but the model's head has no outputs for what is "
            'outside of the vocabulary (num_unknown): give the config that it was trained with'
        )
    return rejection


def spec_of_model(model: nn.Module) -> Tuple[InputSpec, List[dict]]:
    """As :func:`spec_of_config` for a model of :func:`init_model`, with its checkpoint's frame rate."""
    spec, steps = spec_of_config(model.cfg)
    return spec._replace(fps=(getattr(model, 'dataset_meta', None) or {}).get('fps')), steps


class TorchBackend(Backend):
    """Runs a torch model on batches of poses.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Attributes:
        spec (InputSpec): How it reads clips.
        glosses (list[str]): Of its classes; [] where the checkpoint has none.
    """

    one_torch_model = True

    def __init__(self, model: nn.Module, device: Union[str, torch.device]) -> None:
        if getattr(model, 'cfg', None) is None:
            raise UserValueError(
                f'{type(model).__name__}: the model has no `cfg`; make it with signbert_mm.apis.init_model'
            )
        self.model, self.device = model.to(device).eval(), torch.device(device)
        self.spec, steps = spec_of_model(model)
        self._steps = Compose(steps)
        self.glosses: List[str] = glosses_of(model)
        self.rejection = rejection_of(model)

    @property
    def recognises(self) -> bool:
        """Whether the model names signs; a pre-trainer does not."""
        return getattr(self.model, 'recognises', True)

    @property
    def frame_rates(self) -> List[Optional[float]]:
        """The rate of its spec."""
        return [self.spec.fps]

    def batch(self, clips: Sequence[PoseClip], first: int = 0, every_frame: bool = False) -> Dict[str, Any]:
        """Makes a batch as the test loader collates it.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first clip, see :meth:`predict`.
            every_frame (bool): Keep all frames: drop none and sample none.
        """
        spec = self.spec._replace(drop_empty_frames=False, temporal=None) if every_frame else self.spec
        inputs = {name: torch.from_numpy(value) for name, value in make_batch(clips, spec, first).items()}
        inputs = self._steps(inputs, Draws(0, 0, inputs['index']))
        return dict(inputs=inputs, video_id=[clip.name for clip in clips])

    @torch.no_grad()
    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        inputs = self.model.data_preprocessor(self.batch(clips, first), training=False)['inputs']
        # Read after the preprocessor, which may resample time.
        frames = inputs['frames'].cpu().numpy()
        return [
            dict(
                scores=sample.pred_scores.numpy(),
                attention=sample.attention.numpy() if 'attention' in sample else None,
                frames=frames[row, : sample.num_frames],
                **({'known_odds': float(sample.known_odds)} if 'known_odds' in sample else {}),
            )
            for row, sample in enumerate(self.model(inputs, mode='predict'))
        ]

    @torch.no_grad()
    def prepared(self, clips: Sequence[PoseClip], masked: bool = False, every_frame: bool = False) -> dict:
        """The batch on the device, after the test transforms.

        Args:
            clips (Sequence[PoseClip]): B clips.
            masked (bool): Also apply the transforms that mask.
            every_frame (bool): As for :meth:`batch`.
        """
        preprocessor = self.model.data_preprocessor
        inputs = preprocessor.cast_data(self.batch(clips, every_frame=every_frame))['inputs']
        draws = Draws(0, 0, inputs['index'])
        return run_steps(preprocessor.test_pipeline if masked else self.preparation[1], inputs, draws)

    @property
    def preparation(self) -> Tuple[list, list]:
        """Transforms after temporal sampling: the data set's, and the test pipeline's that mask nothing."""
        return self._steps.transforms, without_masks(self.model.data_preprocessor.test_pipeline)


class VideoBackend(Backend):
    """Runs a torch model on videos, decoded by the test pipeline of its :class:`SignVideoDataset`.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Raises:
        ConfigError: The config has no test data.
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
        self.glosses: List[str] = glosses_of(model)
        self.rejection = rejection_of(model)

    def _row(self, clip: PoseClip, index: int) -> Dict[str, Any]:
        if not clip.video:
            raise UserValueError(
                f'clip {clip.name!r}: this model reads frames, and there are poses alone. Give the video, '
                'for stores `videos`, a folder of '
                '<video_id>.mp4, or a PoseClip with `video`; a stream has no file, segments() of one does'
            )
        number = int(Draws(0, 0, torch.tensor([index])).integers('video', 2**31 - 1)[0])
        # mmaction2 draws from random generators that all threads share.
        with self._decoding:
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
