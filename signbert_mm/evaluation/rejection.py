"""Whether a recogniser knows what it does not know: scores, thresholds and measures. (Not in the papers.)

A clip is *known* if it shows a sign of the vocabulary. Every score here is higher for known clips. A clip is
answered if its score is above a threshold.
"""

from typing import Dict, Tuple

import numpy as np

from ..errors import UserValueError

FALSE_ANSWERS = 0.05
"""Share of unknown clips that get an answer, at which the share of known clips is reported."""
# Temperatures outside of these bounds mean that something is wrong with the logits.
_TEMPERATURES = (0.05, 20.0)


def _log_sum_exp(logits: np.ndarray) -> np.ndarray:
    largest = logits.max(-1)
    return largest + np.log(np.exp(logits - largest[..., None]).sum(-1))


def log_softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Log probabilities (..., C) float64 of logits (..., C) over a temperature."""
    scaled = np.asarray(logits, np.float64) / temperature
    return scaled - _log_sum_exp(scaled)[..., None]


def max_probability(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """The best class's probability (N,) from logits (N, C) (Hendrycks and Gimpel, 2017)."""
    return np.exp(log_softmax(logits, temperature).max(-1))


def energy(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """T log sum exp(logits / T), (N,) from (N, C) (Liu et al., 2020; there with the other sign)."""
    return temperature * _log_sum_exp(np.asarray(logits, np.float64) / temperature)


def max_logit(logits: np.ndarray) -> np.ndarray:
    """The best class's logit, (N,) from (N, C)."""
    return np.asarray(logits, np.float64).max(-1)


def known_odds(logits: np.ndarray, num_classes: int) -> np.ndarray:
    """Log odds that a clip is known, (N,), by a head with outputs for what is unknown.

    Args:
        logits (ndarray): Shape (N, C + K), the last K of what is outside of the vocabulary.
        num_classes (int): C.
    """
    logits = np.asarray(logits, np.float64)
    return _log_sum_exp(logits[:, :num_classes]) - _log_sum_exp(logits[:, num_classes:])


def class_means(features: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """The mean vector of each class, (C, D) float64.

    Args:
        features (ndarray): Shape (N, D).
        labels (ndarray): Shape (N,), each class at least once.

    Raises:
        ValueError: A class has no clip.
    """
    counts = np.bincount(labels, minlength=num_classes)
    if not counts.all():
        raise UserValueError(f'class means: class {int(counts.argmin())} has no clip')
    means = np.zeros((num_classes, features.shape[1]))
    np.add.at(means, labels, features)
    return means / counts[:, None]


def mahalanobis(
    features: np.ndarray, gallery: np.ndarray, labels: np.ndarray, num_classes: int, shrinkage: float = 0.1
) -> np.ndarray:
    """Minus the smallest Mahalanobis distance, squared, to a class mean, (N,) (Lee et al., 2018).

    Args:
        features (ndarray): Shape (N, D), the clips that are scored.
        gallery (ndarray): Shape (M, D), labelled training clips.
        labels (ndarray): Shape (M,).
        num_classes (int): C.
        shrinkage (float): The covariance is moved so far to a multiple of the identity of its trace.
    """
    means = class_means(gallery, labels, num_classes)
    centred = gallery - means[labels]
    covariance = centred.T @ centred / len(centred)
    size = len(covariance)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / size * np.eye(size)
    # With whitened vectors the distance is the Euclidean one.
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    points, centres = features @ whiten.T, means @ whiten.T
    squared = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
    return -squared.min(1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def mean_cosine(
    features: np.ndarray, gallery: np.ndarray, labels: np.ndarray, num_classes: int
) -> np.ndarray:
    """The best cosine with a class mean, (N,); arguments as for :func:`mahalanobis`."""
    return (_unit(features) @ _unit(class_means(gallery, labels, num_classes)).T).max(1)


def neighbour_cosine(features: np.ndarray, gallery: np.ndarray, k: int = 5) -> np.ndarray:
    """The cosine with the k-th nearest training clip, (N,) (Sun et al., 2022).

    Raises:
        ValueError: k is not in 1 .. M.
    """
    if not 1 <= k <= len(gallery):
        raise UserValueError(f'neighbour_cosine: k must be from 1 to {len(gallery)}, got {k}')
    return np.sort(_unit(features) @ _unit(gallery).T, axis=1)[:, -k]


def leave_one_out(vectors: np.ndarray, labels: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Best cosines of each example with the others: what a search would find of known and of unknown signs.

    Args:
        vectors (ndarray): Shape (N, D), examples of length 1.
        labels (ndarray): Shape (N,), their signs, two or more.

    Returns:
        tuple[ndarray, ndarray]: Known: the best cosine with any other example, of the examples whose sign has
        more than one. Unknown, (N,): the best cosine with an example of another sign.
    """
    known, unknown = [], []
    sizes = np.bincount(labels)[labels]
    for place, vector in enumerate(vectors):
        cosines = vectors @ vector
        unknown.append(cosines[labels != labels[place]].max())
        if sizes[place] > 1:
            known.append(np.delete(cosines, place).max())
    return np.array(known, np.float64), np.array(unknown, np.float64)


def _checked(known: np.ndarray, unknown: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    known, unknown = (np.asarray(scores, np.float64) for scores in (known, unknown))
    if known.ndim != 1 or unknown.ndim != 1 or not len(known) or not len(unknown):
        raise UserValueError(
            f'scores of known and of unknown clips are needed, got shapes {known.shape} and {unknown.shape}'
        )
    if not (np.isfinite(known).all() and np.isfinite(unknown).all()):
        raise UserValueError('scores of known or of unknown clips are not finite')
    return known, unknown


def auroc(known: np.ndarray, unknown: np.ndarray) -> float:
    """The probability that a known clip scores above an unknown one; ties count half. 0.5 = by chance.

    Args:
        known (ndarray): Shape (N,), scores of known clips.
        unknown (ndarray): Shape (M,), scores of unknown clips.

    Raises:
        ValueError: A set is empty, or a score is not finite.
    """
    known, unknown = _checked(known, unknown)
    unknown = np.sort(unknown)
    below = np.searchsorted(unknown, known, side='left') + np.searchsorted(unknown, known, side='right')
    return float(below.mean() / (2 * len(unknown)))


def threshold_at(unknown: np.ndarray, false_answers: float = FALSE_ANSWERS) -> float:
    """The lowest threshold above which at most ``false_answers`` of the unknown clips lie.

    Args:
        unknown (ndarray): Shape (M,), scores of unknown clips.
        false_answers (float): In [0, 1).

    Raises:
        ValueError: The share is out of range, there is no clip, or a score is not finite.
    """
    if not 0 <= false_answers < 1:
        raise UserValueError(f'false_answers must lie in [0, 1), got {false_answers}')
    _, unknown = _checked(np.zeros(1), unknown)
    # A share of 0.05 of 20 clips is one clip, whatever 0.05 * 20 rounds to.
    allowed = int(np.floor(false_answers * len(unknown) + 1e-9))
    return float(np.sort(unknown)[len(unknown) - 1 - allowed])


def known_kept(known: np.ndarray, unknown: np.ndarray, false_answers: float = FALSE_ANSWERS) -> float:
    """The share of known clips that are answered where ``false_answers`` of the unknown ones are."""
    known, unknown = _checked(known, unknown)
    return float((known > threshold_at(unknown, false_answers)).mean())


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean of -log p(label) of logits (N, C) over a temperature."""
    return float(-log_softmax(logits, temperature)[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest negative log likelihood (Guo et al., 2017), from 0.05 to 20.

    Args:
        logits (ndarray): Shape (N, C), of clips that were not trained on.
        labels (ndarray): Shape (N,).

    Raises:
        ValueError: There is no clip, or a label is outside of the classes.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    if not len(labels) or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise UserValueError('temperature: clips with labels of the vocabulary are needed')
    low, high = (np.log(bound) for bound in _TEMPERATURES)
    # The likelihood has one peak: it is concave in 1 / T. Golden section search.
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        values = [negative_log_likelihood(logits, labels, float(np.exp(point))) for point in (left, right)]
        low, high = (low, right) if values[0] <= values[1] else (left, high)
    return float(np.exp((low + high) / 2))


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error (Guo et al., 2017): equal bins of (0, 1], weighted by their clips.

    Args:
        confidence (ndarray): Shape (N,) in [0, 1], the best class's probability.
        right (ndarray): Shape (N,) bool, whether that class is the label.
        bins (int): Number of bins.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def rejection_report(known: np.ndarray, unknown: Dict[str, np.ndarray]) -> Dict[str, Dict[str, float]]:
    """``auroc`` and ``kept`` of each kind of unknown clips, and ``clips``, their number."""
    return {
        kind: dict(auroc=auroc(known, scores), kept=known_kept(known, scores), clips=len(scores))
        for kind, scores in unknown.items()
    }
