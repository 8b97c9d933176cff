"""Rows of a table that sum the scores of others: H+P, H+R."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import print_log

from ..evaluation.fusion import align, fused, load_scores
from ..registry import METRICS
from .run import Run


def common_coverage(parts: Sequence[List[dict]], clips: int) -> List[dict]:
    """The coverage of clips that several tests have in common.

    Args:
        parts (Sequence[list[dict]]): The ``coverage`` of each test; [] where it tells none.
        clips (int): How many are common.

    Returns:
        list[dict]: That of the test with the fewest clips; where fewer than its are common, in one row of all
        its data sets.
    """
    rows = min(
        (part for part in parts if part), key=lambda part: sum(row['clips'] for row in part), default=[]
    )
    if not rows or sum(row['clips'] for row in rows) == clips:
        return rows
    whole = {key: '+'.join(dict.fromkeys(row[key] for row in rows)) for key in ('name', 'split')}
    for key in ('expected', 'present', 'split_expected', 'split_present'):
        if all(key in row for row in rows):
            whole[key] = sum(row[key] for row in rows)
    return [dict(whole, clips=clips)]


@dataclass(eq=False)
class FusedRun:
    """The sum of the probabilities that tests left, as ``tools/analysis_tools/fuse_scores.py`` forms it;
    nothing is trained.

    Attributes:
        parts (list[Run]): Two or more of one seed; their tests then leave the clips' scores.
    """

    parts: List[Run]
    _records: Dict[Path, dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = ' + '.join(part.name for part in self.parts)
        for part in self.parts:
            part.keep_scores = True

    def tested(self, work_dir: Path) -> Optional[dict]:
        """``metrics`` as the first part's evaluator has them, of the clips that all parts have, and their
        ``coverage``; None where a test has not
        left its scores.

        Raises:
            ValueError: The parts' label maps differ, or no clip is common.
        """
        if work_dir not in self._records:
            if not all(part.is_tested(work_dir) for part in self.parts):
                return None
            self._records[work_dir] = self._evaluate(work_dir)
        return self._records[work_dir]

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
        evaluator = Evaluator(
            [
                METRICS.build(config)
                for config in (configs if isinstance(configs, (list, tuple)) else [configs])
            ]
        )
        coverage = common_coverage(
            [part.tested(work_dir).get('coverage') or [] for part in self.parts], len(aligned[0].video_ids)
        )
        evaluator.dataset_meta = dict(glosses=self.parts[0].tested(work_dir)['glosses'], coverage=coverage)
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
