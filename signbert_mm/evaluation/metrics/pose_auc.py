"""PCK and AUC of reconstructed hand poses."""

from typing import Dict, List, Optional, Sequence

import numpy as np
import torch

from signbert_mm.registry import METRICS

from ...errors import UserKeyError, UserValueError
from .per_clip_metric import PerClipMetric, clip_name

_FIELDS = ('pred_hands', 'input_hands', 'target_hands', 'hand_scores', 'hand_valid')


@METRICS.register_module()
class PoseAUC(PerClipMetric):
    """PCK and AUC in percent: how close the reconstruction is to the unmasked pose (SignBERT section 4.1).

    PCK@t is the share of annotated joints at most t pixels from the target. It counts all annotated joints of
    all clips, chosen for masking or not. AUC is the trapezoid of PCK at 20, 21, .. 40 pixels, divided by 20.
    Both are given for the model's input (``input/pck20``, ``input/auc``) and its output (``output/pck20``,
    ``output/auc``), and for the joints of chosen tokens alone (``chosen/output/pck20``; not in the paper). A
    joint is annotated if its hand is detected and its score is above ``min_score``. The paper evaluates on
    STB and HANDS17.

    Args:
        crop_size (float | None): Side of the crop in pixels, by which the [0, 1] coordinates are scaled.
            None = pixels of the video, by each token's ``boxes``.
        thresholds (tuple[int, int]): First and last threshold in pixels; the step is 1 pixel.
        min_score (float): Joints with a score up to this are not annotated.
        **kwargs: See :class:`PerClipMetric`.

    Raises:
        KeyError: A prediction lacks a field.
        ValueError: Coordinates are not finite at an annotated joint, or no joint is annotated.
    """

    measures = 'PCK and AUC'

    def __init__(
        self,
        crop_size: Optional[float] = 256,
        thresholds: Sequence[int] = (20, 40),
        min_score: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        first, last = thresholds
        if not 0 < first < last:
            raise UserValueError(
                f'PoseAUC: thresholds are (first, last) in pixels with 0 < first < last, got {thresholds!r}'
            )
        if crop_size is not None and crop_size <= 0:
            raise UserValueError(f'PoseAUC: crop_size must be positive, got {crop_size!r}')
        self.crop_size, self.min_score = crop_size, min_score
        self.thresholds = torch.arange(first, last + 1, dtype=torch.float64)

    def clip_rows(self, data_samples: Sequence[dict]) -> List[np.ndarray]:
        """Returns rows of counts, for all tokens and again for chosen tokens.

        The counts are joints, then joints within each threshold in the input, then in the output.
        """
        return [self._row(sample) for sample in data_samples]

    def _row(self, sample: dict) -> np.ndarray:
        needed = _FIELDS + (('boxes',) if self.crop_size is None else ())
        absent = [field for field in needed if sample.get(field) is None]
        if absent:
            raise UserKeyError(
                f'PoseAUC: {clip_name(sample)} lacks {", ".join(absent)}; is this a pre-trainer '
                'in predict mode?'
            )
        fields = {field: sample[field].detach().cpu().double() for field in needed}
        # (T, 2, 21)
        annotated = (fields['hand_valid'][..., None] > 0) & (fields['hand_scores'] > self.min_score)
        scale = fields['boxes'][..., 2:] if self.crop_size is None else self.crop_size
        chosen = (
            annotated & sample['chosen'].cpu()[..., None]
            if sample.get('chosen') is not None
            else torch.zeros_like(annotated)
        )
        distances = {}
        for name in ('input_hands', 'pred_hands'):
            # (T, 2, 21)
            distance = (fields[name] - fields['target_hands']).norm(dim=-1) * scale
            if not distance[annotated].isfinite().all():
                raise UserValueError(
                    f'PoseAUC: {clip_name(sample)}: {name} or target_hands not finite at an annotated joint'
                )
            distances[name] = distance
        # Counts, not shares: summed over clips they give the share over all joints.
        row = []
        for joints in (annotated, chosen):
            row.append(joints.sum()[None])
            row += [
                (distances[name][joints][:, None] <= self.thresholds).sum(0)
                for name in ('input_hands', 'pred_hands')
            ]
        return torch.cat(row).numpy()

    def compute_rows(self, rows: np.ndarray) -> Dict[str, float]:
        """Computes PCK at the first threshold and AUC from rows of counts."""
        total = rows.sum(0).astype(np.float64)
        first, steps = int(self.thresholds[0]), len(self.thresholds)
        if total[0] == 0:
            raise UserValueError(
                f'PoseAUC: none of the {len(rows)} clips has an annotated joint (hand found and '
                f'score above {self.min_score})'
            )
        metrics: Dict[str, float] = {}
        for prefix, counts in zip(('', 'chosen/'), np.split(total, 2)):
            if counts[0] == 0:
                continue
            for name, within in zip(('input', 'output'), np.split(counts[1:], 2)):
                pck = 100.0 * within / counts[0]
                metrics[f'{prefix}{name}/pck{first}'] = float(pck[0])
                metrics[f'{prefix}{name}/auc'] = float(((pck[1:] + pck[:-1]) / 2).sum() / (steps - 1))
        metrics['joints'] = int(total[0])
        return metrics
