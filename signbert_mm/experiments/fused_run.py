"""Rows of a table that sum the scores of other rows: H+P, H+R."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log

from ..errors import UserValueError
from ..evaluation.fusion import align, fused, load_scores
from ..registry import METRICS
from .run import Run


def common_coverage(parts: Sequence[List[dict]], clips: int) -> List[dict]:
    """The coverage of the clips that several tests have in common.

    Args:
        parts (Sequence[list[dict]]): The ``coverage`` of each test; [] where it has none.
        clips (int): Number of common clips.

    Returns:
        list[dict]: That of the test with the fewest clips. If fewer clips than these are common, one row for
        all its data sets.
    """
    rows = min(
        (part for part in parts if part), key=lambda part: sum(row['clips'] for row in part), default=[]
    )
    if not rows or sum(row['clips'] for row in rows) == clips:
        return rows
    # Which data set the lost clips are from is unknown, so the data sets become one row.
    total = {key: '+'.join(dict.fromkeys(row[key] for row in rows)) for key in ('name', 'split')}
    for key in ('expected', 'present', 'split_expected', 'split_present'):
        if all(key in row for row in rows):
            total[key] = sum(row[key] for row in rows)
    return [dict(total, clips=clips)]


@dataclass(eq=False)
class FusedRun:
    """Sums the probabilities of several tests, as ``tools/analysis_tools/fuse_scores.py`` does.

    Attributes:
        parts (list[Run]): Two or more of one seed. Their tests then save the clips' scores.
    """

    parts: List[Run]
    _records: Dict[Path, dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = ' + '.join(part.name for part in self.parts)
        for part in self.parts:
            part.keep_scores = True

    def tested(self, work_dir: Path) -> Optional[dict]:
        """Evaluates the summed scores of the clips that all parts have.

        Returns:
            dict, optional: ``metrics`` of the first part's evaluator, and the clips' ``coverage``; None where
            a test has not saved its scores.

        Raises:
            ValueError: The parts' label maps differ, or no clip is common.
        """
        if work_dir not in self._records:
            if not all(part.is_tested(work_dir) for part in self.parts):
                return None
            self._records[work_dir] = self._evaluate(work_dir)
        return self._records[work_dir]

    def _glosses(self, work_dir: Path) -> List[str]:
        glosses = [part.tested(work_dir)['glosses'] for part in self.parts]
        # Equal labels of the tested clips say nothing about classes without a clip.
        if any(other != glosses[0] for other in glosses):
            raise UserValueError(f'{self.name}: the parts have other label maps; test all with one data set')
        return glosses[0]

    def _evaluate(self, work_dir: Path) -> Dict[str, Any]:
        aligned, missing = align([load_scores(part.scores(work_dir), part.name) for part in self.parts])
        for name, clips in missing.items():
            if clips:
                print_log(
                    f'{name} lacks {len(clips)} clips that others have; they are left out of the sum: '
                    f'{", ".join(clips[:10])}',
                    logger='current',
                )
        configs = self.parts[0].cfg.test_evaluator
        configs = configs if isinstance(configs, (list, tuple)) else [configs]
        evaluator = Evaluator([METRICS.build(config) for config in configs])
        coverage = common_coverage(
            [part.tested(work_dir).get('coverage') or [] for part in self.parts], len(aligned[0].video_ids)
        )
        evaluator.dataset_meta = dict(glosses=self._glosses(work_dir), coverage=coverage)
        clips = zip(aligned[0].video_ids, torch.from_numpy(fused(aligned)), aligned[0].labels.tolist())
        samples = [
            dict(sample_idx=index, video_id=name, pred_scores=score, gt_label=label)
            for index, (name, score, label) in enumerate(clips)
        ]
        evaluator.process(samples)
        return dict(
            metrics={key: float(value) for key, value in evaluator.evaluate(len(samples)).items()},
            coverage=coverage,
        )
