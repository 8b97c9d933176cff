"""F1 of signs found in time."""

from typing import Dict, List, Sequence

import numpy as np

from signbert_mm.registry import METRICS

from ...errors import UserKeyError, UserValueError
from ..segments import f1_score, match_segments
from .per_clip_metric import PerClipMetric, clip_name


@METRICS.register_module()
class SegmentF1(PerClipMetric):
    """F1, precision and recall of segments in percent, and false signs a minute. (Not in the papers.)

    A found sign is right if its IoU with a true one reaches ``iou``; each true one counts once. All signs of
    all videos count alike. The videos' rate, for minutes, is that of the data set (``fps``).

    Args:
        iou (float): In (0, 1].
        **kwargs: See :class:`PerClipMetric`.

    Raises:
        KeyError: A prediction has no ``segments`` or ``gt_segments``.
        ValueError: ``iou`` is out of range, or the data set does not tell its frame rate.
    """

    measures = 'F1'

    def __init__(self, iou: float = 0.5, **kwargs) -> None:
        super().__init__(**kwargs)
        if not 0 < iou <= 1:
            raise UserValueError(f'SegmentF1: iou must lie in (0, 1], got {iou}')
        self.iou = iou

    def clip_rows(self, data_samples: Sequence[dict]) -> List[np.ndarray]:
        """Returns rows of counts: matched, found and true signs, and frames."""
        rows = []
        for sample in data_samples:
            for field in ('segments', 'gt_segments'):
                if sample.get(field) is None:
                    raise UserKeyError(
                        f'SegmentF1: {clip_name(sample)} lacks {field}; is this a segmenter, and are the '
                        'videos spliced?'
                    )
            found, true = sample['segments'].tolist(), sample['gt_segments'].tolist()
            matched = len(match_segments(found, true, self.iou))
            rows.append(np.asarray([matched, len(found), len(true), sample['num_frames']]))
        return rows

    def compute_rows(self, rows: np.ndarray) -> Dict[str, float]:
        """Computes the figures from rows of counts."""
        fps = (self.dataset_meta or {}).get('fps')
        if not fps:
            raise UserValueError('SegmentF1: the data set does not tell the frame rate of its videos (fps)')
        matched, found, true, frames = rows.sum(0).tolist()
        return {
            f'f1@{self.iou:g}': 100 * f1_score(matched, found, true),
            'precision': 100 * matched / max(found, 1),
            'recall': 100 * matched / max(true, 1),
            'false_per_minute': (found - matched) * 60 * fps / frames,
        }
