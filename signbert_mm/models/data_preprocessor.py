"""Where poses become what the model reads: on the device, whole batches at once."""

from typing import Optional, Sequence, Union

import torch
from mmengine.model import BaseDataPreprocessor

from ..draws import Draws
from ..registry import MODELS, TRANSFORMS


@MODELS.register_module()
class SignDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and runs the batched transforms there: crop, mirror, augment, mask, zero missing joints.

    Draws are a function of (seed, epoch, clip index, name); in evaluation seed and epoch are 0, so a mask in
    ``test_pipeline`` is the same at each evaluation and in every run.

    Args:
        train_pipeline (Sequence[dict]): Transforms of training, configs of ``TRANSFORMS``.
        test_pipeline (Sequence[dict]): Transforms of validation and testing.
        seed (int, optional): Seed of the draws in training; None = the run's seed, which ``EpochSeedHook`` sets (0 without it).
        non_blocking (bool): Copy to the device without waiting.

    ``forward`` takes ``dict(inputs=dict of tensors, [video_id=list of str])`` as collated and returns ``dict(inputs=batch, data_samples=None)``;
    ``video_id`` travels inside ``inputs``.
    """

    def __init__(
        self,
        train_pipeline: Sequence[dict] = (),
        test_pipeline: Sequence[dict] = (),
        seed: Optional[int] = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        self.train_pipeline = [TRANSFORMS.build(cfg) for cfg in train_pipeline]
        self.test_pipeline = [TRANSFORMS.build(cfg) for cfg in test_pipeline]
        self.seed = seed

    def set_seed(self, seed: int) -> None:
        """The run's seed, where the config gives none."""
        self.seed = seed if self.seed is None else self.seed

    @torch.no_grad()
    def forward(self, data: Union[dict, list], training: bool = False) -> dict:
        data = self.cast_data(data)
        batch = dict(data['inputs'])
        if 'video_id' in data:
            batch['video_id'] = data['video_id']
        draws = Draws(self.seed or 0, batch['epoch'], batch['index']) if training else Draws(0, 0, batch['index'])
        for transform in self.train_pipeline if training else self.test_pipeline:
            batch = transform(batch, draws)
        return dict(inputs=batch, data_samples=None)
