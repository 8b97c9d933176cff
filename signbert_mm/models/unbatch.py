"""Splits batched tensors into one sample for each clip."""

from typing import Dict, List, Sequence

from torch import Tensor

from ..structures import SignDataSample


def unbatch(fields: Dict[str, Tensor], inputs: dict, per_clip: Sequence[str] = ()) -> List[SignDataSample]:
    """Splits batched results into samples on the CPU, one transfer a field.

    Args:
        fields (dict[str, Tensor]): Leading axis B; those not in ``per_clip`` have T as second axis, and
            padding frames are cut off.
        inputs (dict): The batch: ``index`` (B,), ``length`` (B,), ``label`` (B,) and perhaps ``video_id``.
        per_clip (Sequence[str]): Fields without a time axis.
    """
    fields = {
        key: value.detach().float().cpu() if value.is_floating_point() else value.detach().cpu()
        for key, value in fields.items()
    }
    index, length, label = (inputs[key].tolist() for key in ('index', 'length', 'label'))
    video_ids = inputs.get('video_id', [''] * len(index))
    samples = []
    for row, (clip, frames) in enumerate(zip(index, length)):
        sample = SignDataSample(metainfo=dict(num_frames=frames))
        sample.sample_idx, sample.video_id = clip, video_ids[row]
        sample.set_gt_label(label[row])
        for key, value in fields.items():
            setattr(sample, key, value[row] if key in per_clip else value[row, :frames])
        samples.append(sample)
    return samples
