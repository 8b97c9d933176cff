"""Four checks, in a minute, whether a model learns at all, before a training that takes days."""

import logging
import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..datasets import collate_poses
from ..errors import ConfigError, UserValueError
from ..registry import MODELS, SCOPE
from .hooks.class_count_hook import check_classes
from .runner.config import explain_config_errors

_NO_ENCODER = ('key_', 'projectors', 'head', 'decoder', 'loss', 'data_preprocessor')
# Share of energy below which vectors hardly differ between clips.
LEAST_SHARE = 0.1
# Largest share of its loss that a pre-trainer keeps after it learned a few clips by heart.
LEAST_FALL = 0.7


def share_between(vectors: Tensor, valid: Optional[Tensor] = None) -> float:
    """The share of the energy of vectors that differs between samples: 1 - |mean|^2 / mean(|x|^2).

    The mean is taken at each place, so that what all samples share there, as a position code, does not count.

    Args:
        vectors (Tensor): Shape (N, ..., C): N samples, then places such as (T, 2), then channels.
        valid (Tensor, optional): Shape (N, ...) bool: which vectors count; None = all.

    Returns:
        float: In [0, 1]: 0 where all samples are equal, 1 where they have nothing in common. NaN without any
            energy.
    """
    vectors = vectors.double()
    weight = vectors.new_ones(vectors.shape[:-1]) if valid is None else valid.to(vectors)
    weight = weight.unsqueeze(-1)
    count = weight.sum(0)
    mean = (vectors * weight).sum(0) / count.clamp(min=1)
    common, total = (mean.square() * count).sum(), (vectors.square() * weight).sum()
    return 1 - float(common / total) if total > 0 else math.nan


def _find_mask(vectors: Tensor, candidates: Sequence[object]) -> Optional[Tensor]:
    """The mask of ``vectors`` among a module's inputs and outputs: the bool tensor of their shape."""
    masks = [item for item in candidates if isinstance(item, Tensor) and item.dtype == torch.bool]
    return next((mask for mask in masks if mask.shape == vectors.shape[:-1]), None)


@contextmanager
def record_shares(model: nn.Module) -> Iterator[Dict[str, float]]:
    """Fills a dict with :func:`share_between` of each part's output, while the model runs.

    A part is a module of mmengine's ``BaseModule`` that returns vectors (N, .., C), alone or as the first of
    a tuple. A bool tensor of their leading shape among its inputs and outputs says which of them count.
    """
    shares: Dict[str, float] = {}
    handles = []

    def hook(name: str):
        def record(module: nn.Module, args: tuple, output: object) -> None:
            parts = output if isinstance(output, tuple) else (output,)
            vectors = parts[0]
            # More than 3 channels: coordinates are no features.
            if (
                isinstance(vectors, Tensor)
                and vectors.is_floating_point()
                and vectors.ndim > 1
                and vectors.shape[-1] > 3
            ):
                shares[name] = share_between(vectors.detach(), _find_mask(vectors, [*parts[1:], *args]))

        return record

    for name, module in model.named_modules():
        if name and isinstance(module, BaseModule) and not name.startswith(_NO_ENCODER):
            handles.append(module.register_forward_hook(hook(name)))
    try:
        yield shares
    finally:
        for handle in handles:
            handle.remove()


@dataclass
class LearningReport:
    """The result of :func:`check_learning`.

    Attributes:
        facts (list[str]): Lines to print, in the order of the checks.
        failures (list[str]): The lines that failed; empty = the model learns.
        shares (dict[str, float]): Part -> share of energy that differs between clips, before training.
        trained_shares (dict[str, float]): The same after training on the few clips.
        losses (list[float]): Of each step on the few clips.
        accuracy (float, optional): Of a recogniser on the few clips after training; in [0, 1].
    """

    facts: List[str] = field(default_factory=list)
    failures: List[str] = field(default_factory=list)
    shares: Dict[str, float] = field(default_factory=dict)
    trained_shares: Dict[str, float] = field(default_factory=dict)
    losses: List[float] = field(default_factory=list)
    accuracy: Optional[float] = None

    def check(self, holds: bool, fact: str) -> None:
        """Adds a line, and a failure if it does not hold."""
        self.facts.append(f'{"ok  " if holds else "FAIL"}  {fact}')
        if not holds:
            self.failures.append(fact)


def few_clips(labels: Sequence[int], clips: int, classes: int) -> List[int]:
    """Indices of about ``clips`` clips, equally many of each of the ``classes`` largest classes.

    Raises:
        ValueError: Fewer than two classes have a clip.
    """
    members: Dict[int, List[int]] = {}
    for index, label in enumerate(labels):
        if label >= 0:
            members.setdefault(int(label), []).append(index)
    if len(members) < 2:
        raise UserValueError(f'{len(members)} classes have clips; a recogniser is checked on two or more')
    labels_used = sorted(members, key=lambda label: (-len(members[label]), label))[:classes]
    per_class = max(1, clips // len(labels_used))
    return sorted(index for label in labels_used for index in members[label][:per_class])


def _loss(model: nn.Module, inputs: dict) -> Tensor:
    losses = model(inputs, mode='loss')
    return sum(value for key, value in losses.items() if 'loss' in key)


def _check_gradients(report: LearningReport, model: nn.Module) -> None:
    """Checks that each parameter that learns has a finite gradient that is not 0."""
    learning = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    missing = [name for name, parameter in learning.items() if parameter.grad is None]
    norms = {
        name: float(parameter.grad.norm())
        for name, parameter in learning.items()
        if parameter.grad is not None
    }
    not_finite = [name for name, norm in norms.items() if not math.isfinite(norm)]
    zero = [name for name, norm in norms.items() if norm == 0]
    report.check(
        not missing, f'{len(norms)} of {len(learning)} parameters take part in the loss' + _named(missing)
    )
    report.check(not not_finite, 'all gradients are finite' + _named(not_finite))
    finite = sorted((norm for norm in norms.values() if norm > 0 and math.isfinite(norm)), reverse=True)
    # A null embedding stands for missing hands, which the first batch may lack.
    unused = [name for name in zero if not name.endswith('.null')]
    report.check(
        not unused and bool(finite), f'{len(finite)} of {len(norms)} gradients are not 0' + _named(zero)
    )
    if finite:
        report.facts.append(f'      norms of the gradients: {finite[0]:.2g} down to {finite[-1]:.2g}')


def _named(names: Sequence[str]) -> str:
    return (
        f'; not so: {", ".join(names[:5])}' + (f' and {len(names) - 5} more' if len(names) > 5 else '')
        if names
        else ''
    )


def _check_shares(report: LearningReport, shares: Dict[str, float], when: str) -> None:
    for name, share in shares.items():
        report.check(
            share >= LEAST_SHARE, f'{when}, {100 * share:.1f} % of the energy of {name} differs between clips'
        )


def _pooled_share(model: nn.Module, inputs: dict) -> Dict[str, float]:
    """The share of the features that kNN compares, one vector a clip, if the model has them."""
    if not getattr(model, 'gives_features', False):
        return {}
    return {'extract_features, one vector a clip,': share_between(model.extract_features(inputs))}


def _init_weights(model: nn.Module) -> None:
    """As the Runner, without a line in the log for each parameter."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        model.init_weights()
    finally:
        logger.setLevel(level)


def _dataset(cfg: Config) -> Tuple[dict, object]:
    loader = Runner.build_dataloader(
        dict(cfg.train_dataloader, num_workers=0, persistent_workers=False), seed=0
    )
    return next(iter(loader)), loader.dataset


def check_learning(
    cfg: Config, clips: int = 50, classes: int = 10, steps: int = 200, lr: float = 1e-3, seed: int = 0
) -> LearningReport:
    """Checks whether the model of a config can learn from its data.

    1. The loss of the first batch is finite.
    2. Each part's output differs between clips: at least 10 % of its energy, before training and after (4).
    3. Each parameter gets a gradient.
    4. A few clips can be learned by heart, without augmentation: a recogniser classifies all of them
       correctly, the loss of a pre-trainer falls by three tenths of its highest. A contrast cannot reach 0:
       its few clips are negatives too.

    Args:
        cfg (Config): With ``model`` and ``train_dataloader``, as of a training.
        clips (int): Number of clips learned by heart.
        classes (int): Number of their classes.
        steps (int): Steps of AdamW, all clips a step.
        lr (float): Its learning rate; it falls to 0 along a cosine.
        seed (int): Of weights and draws.

    Returns:
        LearningReport: Lines to print, and the figures.

    Raises:
        ConfigError: The config has no model or no training data.
    """
    if cfg.get('model') is None or cfg.get('train_dataloader') is None:
        raise ConfigError(
            f'config {cfg.filename}: a model and a train_dataloader are needed to check whether it learns'
        )
    init_default_scope(cfg.get('default_scope') or SCOPE)
    torch.manual_seed(seed)
    report = LearningReport()
    with explain_config_errors():
        model = MODELS.build(cfg.model)
        data, dataset = _dataset(cfg)
    try:
        check_classes(model, dataset, 'train_dataloader')
    except ConfigError as error:
        # Whether the model can learn does not depend on it.
        report.facts.append(f'note: tools/train.py will refuse this: {error}')
    _init_weights(model)
    model.train()

    inputs = model.data_preprocessor(data, True)['inputs']
    with record_shares(model) as report.shares:
        loss = _loss(model, inputs)
    count = len(inputs['label']) if 'label' in inputs else len(next(iter(inputs.values())))
    report.check(bool(loss.isfinite()), f'the first batch, {count} clips, has a loss of {loss.item():.3f}')
    loss.backward()
    with torch.no_grad():
        report.shares.update(_pooled_share(model, inputs))
    _check_shares(report, report.shares, 'before training')
    _check_gradients(report, model)
    _learn_by_heart(report, model, dataset, clips, classes, steps, lr)
    return report


def _labels(dataset: object) -> List[int]:
    labels = getattr(dataset, 'labels', None)
    return list(range(len(dataset))) if labels is None else [int(label) for label in labels]


def _learn_by_heart(
    report: LearningReport, model: nn.Module, dataset: object, clips: int, classes: int, steps: int, lr: float
) -> None:
    """Step 4: trains on the same few clips in each step."""
    recogniser = getattr(model, 'recognises', False)
    if recogniser:
        indices = few_clips(_labels(dataset), clips, classes)
    else:
        indices = torch.linspace(0, len(dataset) - 1, min(clips, len(dataset))).long().unique().tolist()
    loader = DataLoader(dataset, batch_sampler=[indices], collate_fn=collate_poses)
    optimizer = torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad], lr=lr
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    data = next(iter(loader))
    model.train()
    for _ in range(steps):
        # A pre-trainer's training pipeline makes its masks or views. A recogniser has the test pipeline, so
        # that nothing is augmented.
        inputs = model.data_preprocessor(data, not recogniser)['inputs']
        loss = _loss(model, inputs)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        report.losses.append(float(loss.detach()))
    model.eval()
    inputs = model.data_preprocessor(data, not recogniser)['inputs']
    with torch.no_grad(), record_shares(model) as report.trained_shares:
        scores = model(inputs, mode='tensor')
        report.trained_shares.update(_pooled_share(model, inputs))
    _check_shares(report, report.trained_shares, 'after training on a few clips')
    # A contrast's loss first rises, while its bank of negatives fills.
    first, last = max(report.losses[: (steps + 1) // 2]), sum(report.losses[-5:]) / len(report.losses[-5:])
    learned = f'{len(indices)} clips, {steps} steps: the loss went from {first:.3f} to {last:.3f}'
    if recogniser:
        scores = scores[0] if isinstance(scores, tuple) else scores
        report.accuracy = float((scores.argmax(-1) == inputs['label']).float().mean())
        report.check(
            report.accuracy == 1, f'{learned}; {100 * report.accuracy:.1f} % of them are answered rightly'
        )
    else:
        report.check(last < LEAST_FALL * first, learned)
