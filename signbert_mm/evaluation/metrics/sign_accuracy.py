"""P-I and P-C, the accuracies of isolated sign recognition."""

import logging
from typing import Dict, List, Mapping, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.logging import print_log

from signbert_mm.registry import METRICS

from ...errors import UserKeyError, UserValueError
from .per_clip_metric import PerClipMetric, clip_name

WITHOUT_EXCLUDED = 'without_excluded'
# The rank of a class that is in no top-k.
NEVER = 2**31 - 1


def target_ranks(
    scores: torch.Tensor, labels: torch.Tensor, candidates: Optional[torch.Tensor] = None
) -> torch.Tensor:
    """Counts the classes that rank before the right one.

    Args:
        scores (Tensor): Shape (B, classes) float, finite.
        labels (Tensor): Shape (B,) int64 in [0, classes).
        candidates (Tensor, optional): Shape (B, classes) bool. The other classes have no rank, such as
            classes without a vote in kNN.

    Returns:
        Tensor: Shape (B,) int64; 0 = the right class is best, ``NEVER`` = it is not a candidate.
    """
    # (B, 1)
    target = scores.gather(1, labels[:, None])
    # Of equal scores the class of lower index ranks first, on any device and with any sort.
    # (B, classes)
    lower_index = torch.arange(scores.shape[1], device=scores.device) < labels[:, None]
    before = (scores > target) | ((scores == target) & lower_index)
    if candidates is None:
        return before.sum(1)
    return (before & candidates).sum(1).masked_fill(~candidates.gather(1, labels[:, None])[:, 0], NEVER)


@METRICS.register_module()
class SignAccuracy(PerClipMetric):
    """Top-k accuracy over clips (P-I) and averaged over classes (P-C), in percent.

    P-C is the mean accuracy of the classes that have test clips. Classes without test clips are counted
    (``classes/absent``) and left out, so nothing becomes NaN. Keys are ``p_i/top1``, ``p_c/top5``, with
    subsets ``p_i/confusing/top1``, and ``clips``, ``classes/present``, ``classes/absent``. A subset takes the
    test clips of its classes. Predictions still range over all classes, as in NMFs-CSL. A subset without test
    clips is named in a warning and has no keys. If a sample has ``pred_candidates`` ((classes,) bool, from
    :class:`KNNTestLoop`), other classes are in no top-k.

    Args:
        topk (int | Sequence[int]): The k of top-k. If k is at least the number of classes (all candidates),
            the result is 100 by definition, and a warning says so.
        subsets (Mapping[str, Sequence[int | str]] | None): Named subsets of classes, by index or gloss.
        exclude (Sequence[int | str]): Classes, by index or gloss. All metrics are reported again without
            them, as ``p_i/without_excluded/top1``.
        **kwargs: See :class:`PerClipMetric`.

    Raises:
        ValueError: A k is below 1, a class of a subset does not exist, scores are not finite, a label is -1
            or beyond the scores, or class counts differ between clips or from the data set's glosses.

    Example:
        >>> subsets = dict(confusing=list(range(610)), normal=list(range(610, 1067)))
        >>> metric = dict(type='SignAccuracy', topk=(1, 2, 5), subsets=subsets)
    """

    measures = 'accuracy'

    def __init__(
        self,
        topk: Union[int, Sequence[int]] = (1, 5),
        subsets: Optional[Mapping[str, Sequence[Union[int, str]]]] = None,
        exclude: Sequence[Union[int, str]] = (),
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        self.subsets = dict(subsets or {})
        self.exclude = list(exclude)
        if isinstance(exclude, str) or any(isinstance(classes, str) for classes in self.subsets.values()):
            raise UserValueError(
                f'SignAccuracy: subsets and exclude take lists of classes, got {subsets!r} and {exclude!r}'
            )
        if not self.topk or any(k < 1 for k in self.topk):
            raise UserValueError(f'SignAccuracy: topk must be positive integers, got {topk!r}')
        for name in self.subsets:
            if '/' in name or name == WITHOUT_EXCLUDED:
                raise UserValueError(f'SignAccuracy: a subset cannot be named {name!r}')

    def clip_rows(self, data_samples: Sequence[dict]) -> List[np.ndarray]:
        """Returns rows of (label, rank of the right class, number of classes)."""
        for sample in data_samples:
            absent = [field for field in ('pred_scores', 'gt_label') if sample.get(field) is None]
            if absent:
                raise UserKeyError(
                    f'SignAccuracy: {clip_name(sample)} has no {" and no ".join(absent)}; is this '
                    'a recogniser in predict mode?'
                )
        counts = sorted({len(sample['pred_scores']) for sample in data_samples})
        if len(counts) > 1:
            raise UserValueError(f'SignAccuracy: clips of one batch have scores of {counts} classes')
        # float64 holds every float16, bfloat16 and float32 score exactly, so the conversion makes no tie.
        scores = torch.stack([sample['pred_scores'].detach() for sample in data_samples]).cpu().double()
        labels = torch.tensor([int(sample['gt_label']) for sample in data_samples])
        for sample, finite, label in zip(data_samples, scores.isfinite().all(1).tolist(), labels.tolist()):
            if not finite:
                raise UserValueError(
                    f'SignAccuracy: {clip_name(sample)}: scores not finite; the model has '
                    'diverged or its input was not finite'
                )
            if label == -1:
                raise UserValueError(
                    f'SignAccuracy: {clip_name(sample)} has no label (-1); accuracy needs a labelled split'
                )
            if not 0 <= label < counts[0]:
                raise UserValueError(
                    f'SignAccuracy: {clip_name(sample)}: label {label} is outside the '
                    f'{counts[0]} classes of the scores'
                )
        given = [sample.get('pred_candidates') for sample in data_samples]
        candidates = (
            None
            if all(flags is None for flags in given)
            else self._candidates(data_samples, given, counts[0])
        )
        ranks = target_ranks(scores, labels, candidates).tolist()
        return [np.array([label, rank, counts[0]]) for label, rank in zip(labels.tolist(), ranks)]

    @staticmethod
    def _candidates(
        data_samples: Sequence[dict], given: Sequence[Optional[torch.Tensor]], num_classes: int
    ) -> torch.Tensor:
        for sample, flags in zip(data_samples, given):
            if flags is None or flags.shape != (num_classes,) or flags.dtype != torch.bool:
                actual = 'nothing' if flags is None else f'{flags.dtype} of shape {tuple(flags.shape)}'
                raise UserValueError(
                    f'SignAccuracy: {clip_name(sample)}: pred_candidates must be bool of shape '
                    f'({num_classes},), got {actual}'
                )
        return torch.stack(list(given)).cpu()

    def compute_rows(self, rows: np.ndarray) -> Dict[str, float]:
        """Computes P-I and P-C from rows (label, rank, classes)."""
        labels, ranks, counts = rows.T
        num_classes = int(counts[0])
        if (counts != num_classes).any():
            raise UserValueError(f'SignAccuracy: clips have scores of {sorted(set(counts.tolist()))} classes')
        glosses = self._glosses(num_classes)
        for k in self.topk:
            # With candidates (kNN) even a large k does not hold every class.
            if k >= num_classes and (ranks < k).all():
                self._log(f'top-{k} of {num_classes} classes is 100 by definition', logging.WARNING)

        per_class = np.bincount(labels, minlength=num_classes)
        metrics: Dict[str, float] = {}
        selections = {'': np.ones(num_classes, dtype=bool)}
        for name, classes in self.subsets.items():
            selections[f'{name}/'] = self._select(classes, glosses, num_classes, f'subset {name!r}')
        if self.exclude:
            selections[f'{WITHOUT_EXCLUDED}/'] = ~self._select(self.exclude, glosses, num_classes, 'exclude')
        for name, selected in selections.items():
            # A class without test clips has no accuracy and is left out of the mean.
            present = selected & (per_class > 0)
            if not present.any():
                self._log(f'subset {name[:-1]!r} has no test clip and is left out', logging.WARNING)
                continue
            for k in self.topk:
                correct = np.bincount(labels[ranks < k], minlength=num_classes)
                metrics[f'p_i/{name}top{k}'] = 100.0 * float(
                    correct[present].sum() / per_class[present].sum()
                )
                metrics[f'p_c/{name}top{k}'] = 100.0 * float((correct[present] / per_class[present]).mean())
        metrics['clips'] = len(labels)
        metrics['classes/present'] = int((per_class > 0).sum())
        metrics['classes/absent'] = int((per_class == 0).sum())
        if metrics['classes/absent']:
            absent = np.flatnonzero(per_class == 0)
            shown = ', '.join(repr(glosses[index]) if glosses else str(index) for index in absent[:10])
            more = ', ...' if len(absent) > 10 else ''
            self._log(
                f'{len(absent)} of {num_classes} classes have no test clip and are left out of P-C: '
                f'{shown}{more}'
            )
        return metrics

    def _log(self, message: str, level: int = logging.INFO) -> None:
        print_log(f'SignAccuracy: {message}', logger='current', level=level)

    def _glosses(self, num_classes: int) -> List[str]:
        """The data set's glosses, or [] if it has none."""
        meta = self.dataset_meta or {}
        glosses = list(meta.get('glosses') or meta.get('classes') or [])
        if glosses and len(glosses) != num_classes:
            raise UserValueError(
                f'SignAccuracy: scores of {num_classes} classes, but the data set has {len(glosses)} '
                "glosses; set the head's num_classes to that"
            )
        return glosses

    @staticmethod
    def _select(
        classes: Sequence[Union[int, str]], glosses: List[str], num_classes: int, where: str
    ) -> np.ndarray:
        """Marks the classes named by index or gloss, (num_classes,) bool."""
        selected = np.zeros(num_classes, dtype=bool)
        for name in classes:
            if isinstance(name, str):
                if name not in glosses:
                    known = (
                        f'glosses begin {glosses[:5]}'
                        if glosses
                        else ('the data set names no glosses: give class indices')
                    )
                    raise UserValueError(f'SignAccuracy: {where}: no gloss {name!r}; {known}')
                name = glosses.index(name)
            if not 0 <= name < num_classes:
                raise UserValueError(
                    f'SignAccuracy: {where}: class {name} is outside the {num_classes} classes'
                )
            selected[name] = True
        return selected
