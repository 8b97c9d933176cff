"""A model of this project, fed with clips as ``tools/test.py`` feeds it."""

import copy
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import Tensor, nn

from ..datasets.transforms import Compose, MaskHandTokens, TemporalSample
from ..draws import Draws
from ..errors import ConfigError, UserValueError
from ..models.pretrainers import SignBERT, STConsistency
from ..registry import TRANSFORMS
from .backend import Backend
from .input_spec import InputSpec, all_frames, make_batch
from .pose_clip import PoseClip

_STEADY = dict(
    RandomTemporalSample=dict(type='CenterTemporalSample'), UniformTemporalSample=dict(test_mode=True)
)
"""What the temporal transforms of training become where a config has no test pipeline."""


def dataset_config(cfg: Any, kind: str = 'PoseDataset') -> Tuple[dict, bool]:
    """The data set of a kind in a config: of its test data, else of validation, else of training; and whether
    it was the training's.

    Raises:
        ConfigError: There is none.
    """
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        node = (cfg.get(name) or {}).get('dataset')
        while isinstance(node, dict) and node.get('type') != kind:
            node = node.get('dataset') or (node.get('datasets') or [None])[0]
        if node is not None:
            return node, name == 'train_dataloader'
    raise ConfigError(
        f'config {cfg.get("filename", "")}: no {kind} in it, so it does not say how the model '
        'reads clips; give it test_dataloader'
    )


def reads_videos(cfg: Any) -> bool:
    """Whether a config's data are videos, so that its model reads frames."""
    try:
        dataset_config(cfg, 'SignVideoDataset')
    except ConfigError:
        return False
    return True


def spec_of_config(cfg: Any) -> Tuple[InputSpec, List[dict]]:
    """How the model of a config reads clips, and the data set's transforms after the temporal one."""
    node, trained = dataset_config(cfg)
    plain = node.to_dict() if isinstance(node, ConfigDict) else copy.deepcopy(dict(node))
    steps = list(plain.get('pipeline') or [])
    temporal = None
    if (
        steps
        and isinstance(TRANSFORMS.get(steps[0]['type']), type)
        and issubclass(TRANSFORMS.get(steps[0]['type']), TemporalSample)
    ):
        temporal = steps.pop(0)
        if trained:
            temporal.update(_STEADY.get(temporal['type'], {}))
    spec = InputSpec(
        plain.get('layout', 'sign_49'),
        plain.get('drop_empty_frames', True),
        plain.get('stand_ins', False),
        plain.get('side', ''),
        temporal,
    )
    return spec, steps


def spec_of_model(model: nn.Module) -> Tuple[InputSpec, List[dict]]:
    """:func:`spec_of_config` of a model of :func:`init_model`, with what its checkpoint says of its data."""
    spec, steps = spec_of_config(model.cfg)
    return spec._replace(fps=(getattr(model, 'dataset_meta', None) or {}).get('fps')), steps


class TorchBackend(Backend):
    """Batches clips, runs the model, and says what it found of each.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Attributes:
        spec (InputSpec): How it reads clips.
        glosses (list[str]): Of its classes; [] where the checkpoint has none.
    """

    def __init__(self, model: nn.Module, device: Union[str, torch.device]) -> None:
        if getattr(model, 'cfg', None) is None:
            raise UserValueError(
                f'{type(model).__name__}: the model has no `cfg`; make it with signbert_mm.apis.init_model'
            )
        self.model, self.device = model.to(device).eval(), torch.device(device)
        self.spec, steps = spec_of_model(model)
        self._temporal = TRANSFORMS.build(self.spec.temporal) if self.spec.temporal else None
        self._steps = Compose(steps)
        self.glosses: List[str] = list((getattr(model, 'dataset_meta', None) or {}).get('glosses') or [])

    @property
    def recognises(self) -> bool:
        """Whether the model names signs; a pre-trainer does not."""
        return not isinstance(self.model, (SignBERT, STConsistency))

    def batch(self, clips: Sequence[PoseClip], first: int = 0, every_frame: bool = False) -> Dict[str, Any]:
        """As the test loader collates it.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first, which names it in random draws, where the test pipeline has any.
            every_frame (bool): Neither leave frames out nor sample time.
        """
        index = torch.arange(first, first + len(clips))
        draws = Draws(0, 0, index)
        spec = self.spec._replace(drop_empty_frames=False) if every_frame else self.spec

        def sample(lengths: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
            if every_frame or self._temporal is None:
                return all_frames(lengths)
            sampled = self._temporal(dict(length=torch.from_numpy(lengths)), draws)
            return sampled['frames'].numpy(), sampled['length'].numpy()

        inputs: Dict[str, Tensor] = {
            name: torch.from_numpy(value) for name, value in make_batch(clips, spec, sample).items()
        }
        inputs.update(index=index, epoch=torch.zeros_like(index))
        return dict(inputs=self._steps(inputs, draws), video_id=[clip.name for clip in clips])

    @torch.no_grad()
    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        inputs = self.model.data_preprocessor(self.batch(clips, first), training=False)['inputs']
        frames = inputs['frames'].cpu().numpy()  # the preprocessor may have resampled time
        rows = []
        for row, sample in enumerate(self.model(inputs, mode='predict')):
            attention = sample.attention.numpy() if 'attention' in sample else None
            rows.append(
                dict(
                    scores=sample.pred_scores.numpy(),
                    attention=attention,
                    frames=frames[row, : sample.num_frames],
                )
            )
        return rows

    @torch.no_grad()
    def prepared(self, clips: Sequence[PoseClip], masked: bool = False, every_frame: bool = False) -> dict:
        """The batch on the device after the test transforms; without ``masked`` nothing is masked.
        ``every_frame`` as in :meth:`batch`.
        """
        preprocessor = self.model.data_preprocessor
        inputs = preprocessor.cast_data(self.batch(clips, every_frame=every_frame))['inputs']
        draws = Draws(0, 0, inputs['index'])
        for transform in preprocessor.test_pipeline if masked else self.preparation[1]:
            inputs = transform(inputs, draws)
        return inputs

    @property
    def preparation(self) -> Tuple[list, list]:
        """Transforms that clips go through after time was sampled: the data set's, and those of the test
        pipeline that mask nothing.
        """
        kept = [
            transform
            for transform in self.model.data_preprocessor.test_pipeline
            if not isinstance(transform, MaskHandTokens)
        ]
        return self._steps.transforms, kept
