"""The papers' figures, drawn of a table's finished runs."""

from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import numpy as np
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed

from ..apis.reconstruct import draw_clip, load_pretrainer
from ..engine.load_encoder import build_model
from ..engine.runner.config import ConfigError
from ..evaluation.fusion import ClipScores, align, load_scores
from ..evaluation.knn import extract_features
from ..registry import DATASETS
from ..visualization import (
    class_errors,
    plot_class_errors,
    plot_embedding,
    plot_signers,
    save_image,
    signer_accuracy,
    tsne,
)
from .plan import Plan, variants_of
from .printing import draw_figure
from .run import Run

_RANDOM = 'random weights'


def _runs(plan: Plan, work_dir: Path) -> Iterator[Tuple[str, Dict[str, Run]]]:
    """Variant -> row name -> its tested run of the first seed that has one.

    Raises:
        ConfigError: Nothing has been measured.
    """
    column, found = plan.table.columns[0], False
    for variant in variants_of(column, plan.setting):
        title = f'{variant} {next(iter(column["metrics"]))}'.strip()
        rows = {}
        for number, row in enumerate(plan.table.rows):
            tested = [cell.run for cell in plan.cells.get((number, title), ()) if cell.run.tested(work_dir)]
            if tested:
                rows[row['name']] = tested[0]
        if rows:
            found = True
            yield variant, rows
    if not found:
        raise ConfigError(f'{plan.table.name}: nothing has been measured yet, so there is no figure')


def _path(plan: Plan, work_dir: Path, variant: str) -> Path:
    name = '_'.join(part for part in (plan.table.name, plan.setting.name, variant) if part)
    return work_dir / f'{name}.png'


def _sweep(plan: Plan, work_dir: Path) -> Iterator[Path]:
    """The columns over a number (ST-Consistency, Figure 4)."""
    yield draw_figure(plan, work_dir)


def _reconstruction(plan: Plan, work_dir: Path) -> Iterator[Path]:
    """Ground truth, masked input, reconstruction and mesh (SignBERT, Figure 3): a picture a clip."""
    for variant, rows in _runs(plan, work_dir):
        for run in rows.values():
            init_default_scope(run.cfg.default_scope)
            model = load_pretrainer(run.cfg, run.checkpoint(work_dir))
            dataset = DATASETS.build(run.cfg.test_dataloader.dataset)
            number = min(plan.table.figure.get('clips', 4), len(dataset))
            for index in np.linspace(0, len(dataset) - 1, number).round().astype(int).tolist():
                path = _path(plan, work_dir, f'{variant}_clip{index}'.strip('_'))
                yield Path(save_image(path, draw_clip(model, dataset, index)))


def _tsne(plan: Plan, work_dir: Path) -> Iterator[Path]:
    """Features of the test clips, trained and not (ST-Consistency, Figure 3)."""
    for variant, rows in _runs(plan, work_dir):
        panels, glosses = {}, None
        # The first run's encoder with random weights stands before the trained ones.
        first = next(iter(rows.values()))
        for name, run in {_RANDOM: first, **rows}.items():
            init_default_scope(run.cfg.default_scope)
            loader = Runner.build_dataloader(run.cfg.test_dataloader)
            set_random_seed(run.seed)
            model = build_model(run.cfg, 'none' if name == _RANDOM else run.checkpoint(work_dir))
            features, labels = (tensor.numpy() for tensor in extract_features(model.to(get_device()), loader))
            chosen = np.flatnonzero((labels >= 0) & (labels < plan.table.figure.get('classes', 20)))
            perplexity = min(30.0, (len(chosen) - 1) / 3)
            panels[name] = tsne(features[chosen], perplexity, run.seed), labels[chosen]
            glosses = loader.dataset.metainfo['glosses']
        yield plot_embedding(_path(plan, work_dir, variant), panels, glosses)


def _scores(rows: Dict[str, Run], work_dir: Path) -> Dict[str, ClipScores]:
    """Row name -> scores of the clips that all rows have."""
    parts = [load_scores(run.scores(work_dir), name) for name, run in rows.items()]
    return dict(zip(rows, align(parts)[0]))


def _class_errors(plan: Plan, work_dir: Path) -> Iterator[Path]:
    """Errors by sign of two rows (ST-Consistency, Figure 5)."""
    for variant, rows in _runs(plan, work_dir):
        glosses = next(iter(rows.values())).tested(work_dir)['glosses']
        errors = {
            name: class_errors(part.labels, part.scores.argmax(1), part.scores.shape[1])
            for name, part in _scores(rows, work_dir).items()
        }
        yield plot_class_errors(_path(plan, work_dir, variant), errors, glosses)


def _signers(plan: Plan, work_dir: Path) -> Iterator[Path]:
    """Accuracy by signer of each row (ST-Consistency, Figure 6)."""
    for variant, rows in _runs(plan, work_dir):
        run = next(iter(rows.values()))
        init_default_scope(run.cfg.default_scope)
        dataset = DATASETS.build(run.cfg.test_dataloader.dataset)
        signer_of = dict(zip(dataset.store.video_ids(dataset.clips), dataset.store.signer[dataset.clips]))
        if not any(signer_of.values()):
            raise ConfigError(
                f'{dataset.store.folder}: no clip has a signer, so there is nothing to compare; convert it '
                'again with the signers given'
            )
        models = {
            name: signer_accuracy(
                part.labels, part.scores.argmax(1), [signer_of[clip] for clip in part.video_ids]
            )
            for name, part in _scores(rows, work_dir).items()
        }
        yield plot_signers(_path(plan, work_dir, variant), models)


# The kinds of definition.FIGURE_KINDS.
_DRAW: Dict[str, Callable[[Plan, Path], Iterator[Path]]] = dict(
    sweep=_sweep,
    reconstruction=_reconstruction,
    tsne=_tsne,
    class_errors=_class_errors,
    signers=_signers,
)


def draw_figures(plan: Plan, work_dir: Path) -> List[Path]:
    """Draws the figure of a table, one picture for each variant (or clip).

    Returns:
        list[Path]: ``<table>_<setting>[_<variant>].png`` in the work folder.

    Raises:
        ConfigError: Nothing has been measured.
    """
    return list(_DRAW[plan.table.figure.get('kind', 'sweep')](plan, work_dir))
