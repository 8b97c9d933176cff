"""The baseline for every model: a logistic regression on normalised hand joints."""

import os
from typing import Dict, Sequence

import numpy as np

from ..datasets import PoseDataset
from ..errors import UserValueError
from ..layouts import layout_mapping
from .metrics import SignAccuracy
from .predictions import check_labelled


def hand_features(dataset: PoseDataset, frames: int = 0) -> np.ndarray:
    """Features of each frame and hand: the hand's shape, and the wrist's place in the image.

    The shape is joints minus wrist, divided by the largest distance of two joints. The wrist is a fraction of
    the image.

    Args:
        dataset (PoseDataset): Its layout has two hands, like hands_42.
        frames (int): Number of frames: the middles of equal parts of the time from the first to the last
            hand. 0 = all frames, for clips of equal length.

    Returns:
        ndarray: Shape (N, T * 2 * 44) float32; 0 where a hand is missing.

    Raises:
        ValueError: ``frames`` is 0 and clips differ in length.
    """
    store, joints = dataset.store, layout_mapping(dataset.store.layout, dataset.layout)
    rows = []
    for clip in dataset.clips:
        keypoints, scores = store.clip(clip)
        size = np.array([store.width[clip], store.height[clip]], dtype=np.float32)
        # (T, 2, 21, 2)
        hands = (keypoints[:, joints] / size).reshape(len(keypoints), 2, 21, 2)
        # (T, 2)
        present = (scores[:, joints] > 0).reshape(len(keypoints), 2, 21).any(-1)
        if frames:
            with_hand = np.flatnonzero(present.any(1)) if present.any() else np.arange(len(present))
            span = with_hand[-1] - with_hand[0] + 1
            chosen = with_hand[0] + (2 * np.arange(frames) + 1) * span // (2 * frames)
            hands, present = hands[chosen], present[chosen]
        wrist = hands[:, :, :1]
        # The largest distance of two joints is the hand's size, whatever its orientation.
        # (T, 2)
        spread = np.linalg.norm(hands[:, :, :, None] - hands[:, :, None], axis=-1).max((-1, -2))
        shape = (hands - wrist) / np.maximum(spread, 1e-6)[..., None, None]
        values = np.concatenate([shape.reshape(*present.shape, 42), wrist[:, :, 0]], -1) * present[..., None]
        rows.append(values.ravel())
    if len({len(row) for row in rows}) > 1:
        raise UserValueError('clips differ in length: say how many frames to take of each')
    return np.stack(rows).astype(np.float32)


def logistic_regression(
    train: PoseDataset,
    test: PoseDataset,
    frames: int = 0,
    c: float = 0.1,
    components: int = 0,
    exclude: Sequence[str] = (),
) -> Dict[str, float]:
    """Trains on one data set and tests on another of the same label map.

    Args:
        train, test (PoseDataset): See :func:`hand_features`. Training clips without a label are left out.
        frames (int): See :func:`hand_features`.
        c (float): Inverse of the regularisation's strength.
        components (int): Number of principal components of the standardised features; 0 = all features.
        exclude (Sequence[str]): Glosses without which the accuracies are reported as well.

    Returns:
        dict[str, float]: As :class:`SignAccuracy`, in percent.

    Raises:
        ValueError: The data sets have different label maps or clips in common, or a test clip has no label.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if train.glosses != test.glosses:
        raise UserValueError('training and test clips have other label maps; give both the same')
    check_labelled(test.labels, test.store.folder)
    same_store = os.path.realpath(train.store.folder) == os.path.realpath(test.store.folder)
    shared = np.intersect1d(train.clips, test.clips) if same_store else ()
    # A clip that was trained on would make the result too good.
    if len(shared):
        raise UserValueError(
            f'{len(shared)} of {len(test)} test clips are training clips too; give them different splits'
        )
    known = train.labels >= 0
    features = hand_features(train, frames)[known]
    steps = [StandardScaler()]
    if components:
        steps.append(PCA(min(components, *features.shape), random_state=0))
    model = make_pipeline(*steps, LogisticRegression(C=c, max_iter=1000))
    model.fit(features, train.labels[known])
    # scikit-learn knows only classes with a training clip. -1 puts the others behind every probability.
    scores = np.full((len(test), len(test.glosses)), -1.0)
    scores[:, model.classes_] = model.predict_proba(hand_features(test, frames))
    # A stable sort ranks the lower class first at equal scores, as SignAccuracy does.
    order = np.argsort(-scores, axis=1, kind='stable')
    ranks = (order == test.labels[:, None]).argmax(1)
    metric = SignAccuracy(topk=(1, 5), exclude=exclude)
    metric.dataset_meta = dict(glosses=test.glosses)
    return metric.compute_rows(np.stack([test.labels, ranks, np.full(len(test), len(test.glosses))], 1))
