"""The file of predictions that ``tools/test.py --dump`` writes."""

from typing import Any, Sequence

from mmengine.evaluator import DumpResults
from torch import Tensor

from signbert_mm.registry import METRICS


def _own(value: Any) -> Any:
    """A tensor that shares a larger storage, as a batch's row does, by itself: pickle writes the whole
    storage.
    """
    if isinstance(value, Tensor):
        return (
            value.clone()
            if value.untyped_storage().nbytes() > value.numel() * value.element_size()
            else value
        )
    if isinstance(value, (list, tuple)):
        return type(value)(_own(item) for item in value)
    return {key: _own(item) for key, item in value.items()} if isinstance(value, dict) else value


@METRICS.register_module()
class DumpPredictions(DumpResults):
    """mmengine's ``DumpResults``, with each clip's numbers alone in the file and not its whole batch's.

    Args:
        out_file_path (str): The file; ends in .pkl or .pickle.
        collect_device (str): As in mmengine.
        collect_dir (str, optional): As in mmengine.
    """

    def process(self, data_batch: Any, predictions: Sequence[dict]) -> None:
        """Keeps the predictions of one batch, on the CPU."""
        before = len(self.results)
        super().process(data_batch, predictions)
        self.results[before:] = _own(self.results[before:])
