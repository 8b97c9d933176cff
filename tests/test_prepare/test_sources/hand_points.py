"""Joints of a right hand that moves before a camera, for the tests of annotated data sets."""

import numpy as np
import torch

from signbert_mm.hand_models import HandModel


def right_hand(frames, seed=0):
    """Shape (frames, 21, 3) float64, hand_21 order, mm in a camera's frame, about 500 mm away."""
    theta = 0.4 * torch.randn(frames, 25, generator=torch.Generator().manual_seed(seed))
    points = HandModel(asset='free').joints(theta, torch.zeros(frames, 10)).double().numpy() * 1000
    return points + [10.0, -20.0, 500.0] + np.arange(frames)[:, None, None] * [0.5, 0.25, 0.0]


def left_hand(frames, seed=0):
    return right_hand(frames, seed) * [-1, 1, 1]
