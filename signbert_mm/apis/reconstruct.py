"""Reconstructs the 3-D hands of a clip with a pre-trained model (SignBERT section 3.2)."""

from typing import Dict, List, Tuple

import numpy as np
import torch
from mmengine.config import Config

from ..datasets import PoseDataset
from ..errors import UserValueError
from ..files.checkpoints import CheckpointError, load_checkpoint_file
from ..registry import MODELS
from ..structures import SignDataSample
from ..visualization import mesh_in_crop, reconstruction_figure
from .clips import PoseClip
from .torch_backends import TorchBackend

_LEFT = 0


class Reconstructor:
    """Runs a pre-trainer over every frame of a clip. Nothing is masked.

    A clip of N frames that is longer than the L of training is read in several passes, so that the spacing of
    frames is that of training. If training samples evenly over the clip, there are n = ceil(N / L)
    interleaved passes: frames 0, n, 2n .., then 1, n + 1 ... If it takes neighbouring frames, the passes are
    pieces of L.

    Args:
        backend (TorchBackend): Of a pre-trainer whose decoder has a hand model.

    Raises:
        ValueError: The model has no decoder with a hand model.
    """

    def __init__(self, backend: TorchBackend) -> None:
        if getattr(backend.model, 'hand_model', None) is None:
            raise UserValueError(
                f'{type(backend.model).__name__} has no hand model; reconstruction needs the config and '
                'checkpoint of a pre-training with one'
            )
        self.backend = backend

    @property
    def faces(self) -> np.ndarray:
        """Shape (1538, 3): triangles of the right hand's mesh.

        The left hand's have the reverse order: ``faces[:, ::-1]``.
        """
        return self.backend.model.hand_model.faces.cpu().numpy()

    def _passes(self, clip: PoseClip) -> List[np.ndarray]:
        length, spec = len(clip), self.backend.spec
        size = spec.clip_len or min(length, self.backend.model.max_frames or length)
        count = -(-length // size)
        if spec.temporal and spec.temporal['type'] == 'UniformTemporalSample':
            return [np.arange(first, length, count) for first in range(count)]
        return [np.arange(first, min(first + size, length)) for first in range(0, length, size)]

    @torch.no_grad()
    def __call__(self, clip: PoseClip, mesh: bool = False) -> Dict[str, np.ndarray]:
        """Reconstructs both hands of every frame.

        Args:
            clip (PoseClip): Of any length.
            mesh (bool): Also give the surfaces.

        Returns:
            dict: ``joints2d`` (T, 2, 21, 2) pixels of the image; ``joints3d`` (T, 2, 21, 3) metres, camera
                axes (x right, y down, z away), about the wrist; ``valid`` (T, 2) bool, hand detected, and all
                values are 0 where it is not; with ``mesh``, ``vertices`` (T, 2, 778, 3), as ``joints3d``.
        """
        model = self.backend.model
        shapes = dict(joints2d=(21, 2), joints3d=(21, 3), **(dict(vertices=(778, 3)) if mesh else {}))
        out = {name: np.zeros((len(clip), 2, *shape), np.float32) for name, shape in shapes.items()}
        out['valid'] = np.zeros((len(clip), 2), bool)
        for places in self._passes(clip):
            inputs = self.backend.prepared([clip.pick(places)], every_frame=True)
            decoded = model.outputs(inputs, mesh=mesh)
            # (L, 2, 1, 1): a negative scale means a hand rotated by half a turn in the image plane.
            turned = np.sign(decoded['scale'][0, :, :, None].cpu().numpy())
            boxes, valid = inputs['boxes'][0].cpu().numpy(), inputs['hand_valid'][0].cpu().numpy()
            out['valid'][places] = valid
            for name in shapes:
                values = decoded[name][0].cpu().numpy().copy()
                # The model sees left hands mirrored, so they are mirrored back.
                if name == 'joints2d':
                    values[:, _LEFT, :, 0] = 1 - values[:, _LEFT, :, 0]
                    # From [0, 1] of the crop to pixels; boxes are (centre x, centre y, side).
                    values = (values - 0.5) * boxes[..., None, 2:] + boxes[..., None, :2]
                else:
                    values[..., :2] *= turned
                    values[:, _LEFT, :, 0] *= -1
                out[name][places] = values * valid[..., None, None]
        return out


@torch.no_grad()
def masked_sample(backend: TorchBackend, clip: PoseClip) -> Tuple[SignDataSample, np.ndarray]:
    """Predicts a clip that the config's test pipeline samples and masks, as Figure 3 shows.

    Returns:
        tuple[SignDataSample, ndarray]: The prediction, and its frames in the clip, (L,).

    Raises:
        ValueError: The test pipeline masks nothing.
    """
    inputs = backend.prepared([clip], masked=True)
    _check_masked(inputs)
    inputs['video_id'] = [clip.name]
    return backend.model(inputs, mode='predict')[0], inputs['frames'][0].cpu().numpy()


def _check_masked(inputs: dict) -> None:
    if 'chosen' not in inputs:
        raise UserValueError(
            'the test pipeline of the data preprocessor masks nothing; add MaskHandTokens and '
            'ZeroMissing at its end'
        )


def load_pretrainer(cfg: Config, checkpoint: str, device: str = 'cpu') -> torch.nn.Module:
    """The config's model with the checkpoint's weights, for evaluation.

    Raises:
        CheckpointError: The checkpoint is not one of this model.
        ValueError: The model has no decoder.
    """
    model = MODELS.build(cfg.model)
    content = load_checkpoint_file(checkpoint, map_location='cpu')
    try:
        model.load_state_dict(content.get('state_dict', content))
    except RuntimeError as error:
        raise CheckpointError(
            f'checkpoint {checkpoint} does not fit the model of the config: {error}'
        ) from None
    if not hasattr(model, 'decoder'):
        raise UserValueError(f'{type(model).__name__} has no decoder; give the config of a pre-training')
    return model.to(device).eval()


def draw_prediction(
    model: torch.nn.Module,
    sample: SignDataSample,
    places: np.ndarray,
    title: str,
    columns: int = 8,
    mesh: bool = True,
) -> np.ndarray:
    """Figure 3 of one prediction.

    Args:
        model (Module): The pre-trainer.
        sample (SignDataSample): Its prediction of a masked clip.
        places (ndarray): Indices of its frames in the clip, (T,).
        title (str): Above the picture.
        columns (int): Frames drawn.
        mesh (bool): Draw the hand mesh too, where the decoder has a hand model.

    Returns:
        ndarray: Shape (H, W, 3) uint8 RGB.
    """
    hand_model = model.hand_model if mesh else None
    surface = faces = None
    if hand_model is not None:
        surface, faces = mesh_in_crop(sample, hand_model), hand_model.faces.cpu().numpy()
    return reconstruction_figure(sample, surface, faces, columns=columns, title=title, places=places)


@torch.no_grad()
def draw_clip(
    model: torch.nn.Module, dataset: PoseDataset, index: int, columns: int = 8, mesh: bool = True
) -> np.ndarray:
    """Figure 3 of one clip of a data set, masked by the model's test pipeline.

    Args:
        model (Module): The pre-trainer.
        dataset (PoseDataset): The clips.
        index (int): Which of them.
        columns (int): Frames drawn.
        mesh (bool): Draw the hand mesh too, where the decoder has a hand model.

    Returns:
        ndarray: Shape (H, W, 3) uint8 RGB.

    Raises:
        ValueError: The test pipeline masks nothing.
    """
    data = model.data_preprocessor(dataset.__getitems__([index]), training=False)
    _check_masked(data['inputs'])
    sample = model(data['inputs'], mode='predict')[0]
    label, frames = int(sample.gt_label), data['inputs']['frames'][0].cpu().numpy()
    glosses = dataset.metainfo.get('glosses') or []
    name = f'clip {index}' + (f': {glosses[label]}' if 0 <= label < len(glosses) else '')
    return draw_prediction(model, sample, frames, f'{name}  {sample.video_id}'.strip(), columns, mesh)
