"""Fits what a recogniser needs to answer "none of these signs". (Not in the papers.)"""

import io
import os
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..datasets import NoSignDataset, PoseDataset, PoseStore, other_glosses
from ..engine.checkpoint_io import to_plain
from ..errors import ConfigError, UserValueError
from ..evaluation.rejection import (
    FALSE_ANSWERS,
    auroc,
    calibration_error,
    energy,
    fit_temperature,
    log_softmax,
    mahalanobis,
    max_logit,
    max_probability,
    mean_cosine,
    neighbour_cosine,
    rejection_report,
    threshold_at,
    whitened_means,
)
from ..files.atomic import write_atomic
from ..files.checkpoints import load_checkpoint_file
from ..registry import DATASETS
from .rejection import KEY, METHODS, Rejection


class Outputs(NamedTuple):
    """What a recogniser makes of N clips.

    Attributes:
        logits (ndarray): Shape (N, C), of the glosses.
        known_odds (ndarray, optional): Shape (N,), see :meth:`BaseRecognizer.split_unknown`.
        features (ndarray): Shape (N, D), see :meth:`BaseSignModel.extract_features`.
        labels (ndarray): Shape (N,); -1 = none.
    """

    logits: np.ndarray
    known_odds: Optional[np.ndarray]
    features: np.ndarray
    labels: np.ndarray

    def labelled(self) -> 'Outputs':
        """Those of the clips that have a label."""
        known = self.labels >= 0
        return Outputs(*(None if value is None else value[known] for value in self))


@torch.no_grad()
def outputs_of(model: nn.Module, dataset: Any, batch_size: int = 64) -> Outputs:
    """Runs a recogniser on a data set.

    Args:
        model (BaseRecognizer): In evaluation mode.
        dataset: One that serves batches, such as :class:`PoseDataset`.
        batch_size (int): Clips at once.

    Raises:
        ConfigError: The model gives no logits or features, as a pre-trainer or an RGB network.
    """
    if not hasattr(model, 'split_unknown') or not model.gives_features or not model.exportable:
        raise ConfigError(
            f'{type(model).__name__} cannot be calibrated; give config and checkpoint of a SignRecognizer or '
            'an STConsistencyRecognizer'
        )
    rows: List[tuple] = []
    for start in range(0, len(dataset), batch_size):
        batch = dataset.__getitems__(range(start, min(start + batch_size, len(dataset))))
        inputs = model.data_preprocessor(batch, training=False)['inputs']
        logits, odds = model.split_unknown(model.classify(inputs, attention=False)[0].float())
        found = [logits, model.extract_features(inputs).float(), inputs['label']]
        rows.append(tuple(value.cpu().numpy() for value in (*found, *([] if odds is None else [odds]))))
    logits, features, labels, *odds = (np.concatenate(part) for part in zip(*rows))
    return Outputs(logits, odds[0] if odds else None, features, labels)


def fit_distance(model: nn.Module, trained: Outputs) -> Dict[str, Tensor]:
    """Fits the distance of a :class:`SignHead` with ``distance=True`` to the training clips, in place.

    Args:
        model (SignRecognizer): Its head has a distance.
        trained (Outputs): The labelled training clips, each class at least once.

    Returns:
        dict[str, Tensor]: The fitted buffers by their names in the model's ``state_dict``.

    Raises:
        ValueError: A class has no clip.
    """
    features, head = trained.features.astype(np.float64), model.head
    whiten, means = whitened_means(features, trained.labels, head.num_classes)
    distance = np.sqrt(-mahalanobis(features, features, trained.labels, head.num_classes))
    scale = [distance.mean(), max(distance.std(), 1e-6)]
    for name, value in dict(whitened_mean=means, whitening=whiten, distance_scale=scale).items():
        getattr(head, name).copy_(torch.as_tensor(np.array(value)))
    names = ('whitened_mean', 'whitening', 'distance_scale')
    return {f'head.{name}': getattr(head, name).cpu() for name in names}


def unknown_score(outputs: Outputs, method: str, temperature: float) -> np.ndarray:
    """``unknown`` (N,) as :meth:`Rejection.apply` gives it."""
    if method == 'known_odds':
        return 1 / (1 + np.exp(np.minimum(outputs.known_odds.astype(np.float64), 700.0)))
    return 1 - max_probability(outputs.logits, temperature)


def fit_rejection(
    known: Outputs, unknown: Dict[str, Outputs], false_answers: float = FALSE_ANSWERS, method: str = 'auto'
) -> Rejection:
    """Fits temperature and threshold on clips that were not trained on.

    Args:
        known (Outputs): Labelled clips of the vocabulary.
        unknown (dict[str, Outputs]): Kinds of unknown clips. The threshold is the strictest of the kinds', so
            that none has more false answers.
        false_answers (float): Share of unknown clips that may be answered, in [0, 1).
        method (str): 'max_probability', 'known_odds', or 'auto', which takes the one with the larger mean
            AUROC over the kinds.

    Raises:
        ValueError: The method is unknown, or the head lacks the outputs that it needs.
    """
    temperature = fit_temperature(known.logits, known.labels)
    possible = [name for name in METHODS if name != 'known_odds' or known.known_odds is not None]
    if method not in ('auto', *possible):
        raise UserValueError(
            f'method {method!r}: this model has {", ".join(possible)}; known_odds needs head.num_unknown or '
            'head.distance'
        )

    def area(name: str) -> float:
        own = -unknown_score(known, name, temperature)
        return float(np.mean([auroc(own, -unknown_score(x, name, temperature)) for x in unknown.values()]))

    method = max(possible, key=area) if method == 'auto' else method
    limits = [
        -threshold_at(-unknown_score(outputs, method, temperature), false_answers)
        for outputs in unknown.values()
    ]
    return Rejection(method, temperature, min(limits), false_answers)


def compare_scores(
    known: Outputs, unknown: Dict[str, Outputs], trained: Outputs, temperature: float
) -> Dict[str, Dict[str, Dict[str, float]]]:
    """:func:`rejection_report` of every score of :mod:`signbert_mm.evaluation.rejection`, by name.

    Args:
        known, unknown: As for :func:`fit_rejection`.
        trained (Outputs): The training clips of the vocabulary, for distances to them.
        temperature (float): Of probabilities and energy.
    """
    gallery, labels, classes = trained.features, trained.labels, known.logits.shape[1]
    scores = dict(
        max_probability=lambda x: max_probability(x.logits, temperature),
        max_logit=lambda x: max_logit(x.logits),
        energy=lambda x: energy(x.logits, temperature),
        mahalanobis=lambda x: mahalanobis(x.features, gallery, labels, classes),
        mean_cosine=lambda x: mean_cosine(x.features, gallery, labels, classes),
        neighbour_cosine=lambda x: neighbour_cosine(x.features, gallery, min(5, len(gallery))),
    )
    if known.known_odds is not None:
        scores['known_odds'] = lambda x: x.known_odds
    return {
        name: rejection_report(score(known), {kind: score(outputs) for kind, outputs in unknown.items()})
        for name, score in scores.items()
    }


def calibration_figures(known: Outputs, unknown: Dict[str, Outputs], rejection: Rejection) -> Dict[str, Any]:
    """What a fitted rejection does.

    Returns:
        dict: ``kept``, the share of known clips that are answered; ``right``, of these the share of right
        answers; ``false_answers`` of each kind of unknown clips; ``ece`` and ``nll`` of the known clips'
        scores, and ``ece_before`` and ``nll_before`` the temperature.
    """
    answered = unknown_score(known, rejection.method, rejection.temperature) < rejection.threshold
    right = known.logits.argmax(1) == known.labels
    figures = dict(
        kept=float(answered.mean()),
        right=float(right[answered].mean()) if answered.any() else float('nan'),
        false_answers={
            kind: float(
                (unknown_score(outputs, rejection.method, rejection.temperature) < rejection.threshold).mean()
            )
            for kind, outputs in unknown.items()
        },
    )
    for suffix, temperature in (('', rejection.temperature), ('_before', 1.0)):
        chances = log_softmax(known.logits, temperature)
        figures[f'ece{suffix}'] = calibration_error(np.exp(chances.max(1)), right)
        figures[f'nll{suffix}'] = float(-chances[np.arange(len(right)), known.labels].mean())
    return figures


def unknown_datasets(
    known: dict, store: str, split: str, part: int, parts: int
) -> Tuple[PoseDataset, Dict[str, Any]]:
    """The vocabulary's clips of a split, and three kinds of unknown ones.

    Args:
        known (dict): Config of the :class:`PoseDataset` with the vocabulary, which samples time.
        store (str): Folder of a :class:`PoseStore` with other glosses too.
        split (str): Of both stores.
        part, parts (int): Which of the other glosses, see :func:`other_glosses`.

    Returns:
        tuple[PoseDataset, dict]: The known clips; 'glosses', and 'rest' and 'transition' made of these, see
        :class:`NoSignDataset`.
    """
    data = DATASETS.build(dict(known, split=split))
    others = other_glosses(PoseStore(store).glosses, data.glosses, part, parts)
    glosses = DATASETS.build(dict(known, split=split, store=store, classes=others, relabel=True))
    return data, dict(
        glosses=glosses,
        rest=NoSignDataset(glosses, ['rest']),
        transition=NoSignDataset(glosses, ['transition']),
    )


def write_rejection(
    checkpoint: Union[str, 'os.PathLike[str]'],
    out: Union[str, 'os.PathLike[str]'],
    rejection: Rejection,
    fitted: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Copies a checkpoint with a rejection in its ``meta``, whole or not at all.

    Args:
        checkpoint, out (str | Path): The file that is read, and the one that is written.
        rejection (Rejection): What goes into ``meta``.
        fitted (dict[str, Tensor]): Weights that the calibration has fitted, see :func:`fit_distance`.

    Raises:
        FileNotFoundError, CheckpointError: As :func:`load_checkpoint_file`.
    """
    content = load_checkpoint_file(checkpoint)
    content['state_dict'] = dict(content['state_dict'], **fitted)
    content['meta'] = dict(content.get('meta') or {}, **{KEY: rejection._asdict()})
    buffer = io.BytesIO()
    torch.save(to_plain({name: content[name] for name in ('meta', 'state_dict')}), buffer)
    write_atomic(buffer.getvalue(), out)
