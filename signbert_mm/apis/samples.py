"""Predictions as SignDataSample."""

import torch

from ..structures import SignDataSample
from .clips import PoseClip


def to_sample(clip: PoseClip, prediction: dict, number: int) -> SignDataSample:
    """Converts a prediction of :class:`SignInferencer`.

    Args:
        clip (PoseClip): The clip.
        prediction (dict): Its prediction, of arrays.
        number (int): Its place among the inputs.
    """
    sample = SignDataSample(metainfo=dict(num_frames=len(prediction['frames'])))
    sample.set_gt_label(clip.label).set_pred_scores(torch.from_numpy(prediction['all_scores']))
    sample.sample_idx, sample.video_id = number, clip.name
    # Scores of 0 would make class 0 the best one.
    if prediction['reason']:
        sample.set_pred_label(-1).reason = prediction['reason']
    for name in ('attention', 'joints2d', 'joints3d', 'vertices', 'valid'):
        if prediction.get(name) is not None:
            setattr(sample, name, torch.from_numpy(prediction[name]))
    return sample
