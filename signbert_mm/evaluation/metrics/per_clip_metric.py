"""A metric of one row of numbers for each clip, in which every clip counts once."""

from abc import abstractmethod
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from signbert_mm.evaluation.coverage import coverage_text

from ...errors import UserKeyError, UserValueError

ClipRow = Tuple[int, str, np.ndarray]


def clip_name(data_sample: dict) -> str:
    """The name of a clip in messages."""
    video_id, index = data_sample.get('video_id'), data_sample.get('sample_idx', 'unknown')
    return f'clip {index}' if video_id is None else f'clip {index} ({video_id!r})'


class PerClipMetric(BaseMetric):
    """Base class of metrics that keep one row of numbers for each clip.

    A distributed sampler repeats clips so that all ranks have equally many. mmengine drops them by position,
    which is right for its own sampler only. Here they are recognised by ``sample_idx``, whatever the sampler.
    Then the number of clips must be that of the data set.

    If the test data are not all of the published ones (``dataset_meta``, see
    :func:`~signbert_mm.evaluation.coverage.coverage_text`), the log says so: 'accuracy on 4,321 of 5,000 test
    clips (86.4 %) of wlasl2000'.

    Args:
        collect_device (str): As in mmengine: 'cpu' gathers through a directory that all ranks share, 'gpu'
            through the ranks' devices.
        prefix (str | None): Put before every key; none by default.
        collect_dir (str | None): The shared directory for 'cpu'.
    """

    default_prefix = ''
    measures = 'metrics'

    @abstractmethod
    def clip_rows(self, data_samples: Sequence[dict]) -> List[np.ndarray]:
        """Returns one row of numbers for each prediction of a batch."""

    @abstractmethod
    def compute_rows(self, rows: np.ndarray) -> Dict[str, float]:
        """Computes the metrics from all clips' rows, (clips, columns), in order of ``sample_idx``."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Stores the rows of one batch.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): :class:`~signbert_mm.structures.SignDataSample` as dicts
                (mmengine's Evaluator makes them).

        Raises:
            KeyError: A prediction has no ``sample_idx``.
        """
        for sample in data_samples:
            if 'sample_idx' not in sample:
                raise UserKeyError(
                    f'{type(self).__name__}: {clip_name(sample)} has no sample_idx; the model '
                    'must return SignDataSample with it'
                )
        if data_samples:
            rows = self.clip_rows(data_samples)
            self.results += [
                (int(s['sample_idx']), str(s.get('video_id', '')), row) for s, row in zip(data_samples, rows)
            ]

    def evaluate(self, size: int) -> Dict[str, float]:
        """Gathers all ranks' rows and computes the metrics.

        Args:
            size (int): The number of clips in the data set.

        Raises:
            ValueError: There are no predictions, a clip has two names, or clips are missing or too many.
        """
        # mmengine gathers the ranks' items and cuts them to `size` by position. With one item for each rank
        # it cuts nothing, and duplicates are removed below.
        self.results = [(size, self.results)]
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: List[Tuple[int, List[ClipRow]]]) -> Dict[str, float]:
        """Computes the metrics from all ranks' rows; see :meth:`evaluate`."""
        name, size = type(self).__name__, results[0][0]
        clips: Dict[int, ClipRow] = {}
        for _, rows in results:
            for clip in rows:
                # A repeated clip gives the same row again; two names show two clips with one index.
                first = clips.setdefault(clip[0], clip)
                if first[1] != clip[1]:
                    raise UserValueError(
                        f'{name}: sample_idx {clip[0]} is both {first[1]!r} and {clip[1]!r}; '
                        'indices must be unique in the data set'
                    )
        if not clips:
            raise UserValueError(f'{name}: no predictions to evaluate; is the split empty?')
        if len(clips) != size:
            raise UserValueError(
                f'{name}: {len(clips)} different clips were predicted, but the data set has '
                f'{size}; is sample_idx unique in it?'
            )
        metrics = self.compute_rows(np.stack([clips[index][2] for index in sorted(clips)]))
        coverage = coverage_text(self.dataset_meta)
        if coverage:
            print_log(f'{name}: {self.measures} on {coverage}', logger='current')
        return metrics
