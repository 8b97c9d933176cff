"""The file of predictions that ``tools/test.py --dump`` writes."""

from typing import Any, Sequence

from mmengine.evaluator import DumpResults
from torch import Tensor

from signbert_mm.registry import METRICS


def _compact(value: Any) -> Any:
    """Copies tensors that are a part of a larger storage, also inside lists and dicts."""
    # pickle writes a tensor's complete storage, and a clip's row is a view into its batch's storage.
    if isinstance(value, Tensor):
        return (
            value.clone()
            if value.untyped_storage().nbytes() > value.numel() * value.element_size()
            else value
        )
    if isinstance(value, (list, tuple)):
        return type(value)(_compact(item) for item in value)
    return {key: _compact(item) for key, item in value.items()} if isinstance(value, dict) else value


@METRICS.register_module()
class DumpPredictions(DumpResults):
    """mmengine's ``DumpResults``, but the file has each clip's numbers once and not its batch's.

    Args:
        out_file_path (str): The file; it ends in .pkl or .pickle.
        collect_device (str): As in mmengine.
        collect_dir (str, optional): As in mmengine.
    """

    def process(self, data_batch: Any, predictions: Sequence[dict]) -> None:
        """Keeps the predictions of one batch, on the CPU."""
        before = len(self.results)
        super().process(data_batch, predictions)
        self.results[before:] = _compact(self.results[before:])
