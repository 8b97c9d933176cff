"""Where poses become what the model reads: on the device, whole batches at once."""

from typing import Callable, Optional, Sequence, Union

import torch
from mmengine.model import BaseDataPreprocessor

from ..draws import DrawPlan, Draws
from ..registry import MODELS, TRANSFORMS


@MODELS.register_module()
class SignDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and runs the batched transforms there: crop, mirror, augment, mask, zero
    missing joints.

    Draws are a function of (seed, epoch, clip index, name); in evaluation seed and epoch are 0, so a mask in
    ``test_pipeline`` is the same at each evaluation and in every run.

    Args:
        train_pipeline (Sequence[dict]): Transforms of training, configs of ``TRANSFORMS``.
        test_pipeline (Sequence[dict]): Transforms of validation and testing.
        seed (int, optional): Seed of the draws in training; None = the run's seed, which ``EpochSeedHook``
            sets (0 without it).
        non_blocking (bool): Copy to the device without waiting.

    ``forward`` takes ``dict(inputs=dict of tensors, [video_id=list of str])`` as collated and returns
    ``dict(inputs=batch, data_samples=None)``; ``video_id`` travels inside ``inputs``.
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
        self._plan = DrawPlan()
        self._compiled: Optional[Callable[[dict, int], dict]] = None
        self._seen_a_batch = False

    def __getstate__(self) -> dict:
        return dict(super().__getstate__(), _compiled=None)  # copies are plain

    def set_seed(self, seed: int) -> None:
        """The run's seed, where the config gives none."""
        self.seed = seed if self.seed is None else self.seed

    def compile(self, **options) -> None:
        """``torch.compile`` of the training transforms; ``options`` are its own.

        The first batch still runs as it is: constants go to the device then, and what is drawn is learned.
        """
        self._compiled = torch.compile(self._augment, **options)

    def uncompile(self) -> None:
        """Runs them as they are again."""
        self._compiled = None

    def _augment(self, batch: dict, seed: int) -> dict:
        return self._through(
            self.train_pipeline, batch, Draws(seed, batch['epoch'], batch['index'], plan=self._plan)
        )

    @staticmethod
    def _through(transforms: Sequence[Callable[[dict, Draws], dict]], batch: dict, draws: Draws) -> dict:
        for transform in transforms:
            batch = transform(batch, draws)
        return batch

    @torch.no_grad()
    def forward(self, data: Union[dict, list], training: bool = False) -> dict:
        data = self.cast_data(data)
        batch = dict(data['inputs'])
        if 'video_id' in data:
            batch['video_id'] = data['video_id']
        if training:
            seed = self.seed or 0
            augment = self._compiled if self._compiled is not None and self._seen_a_batch else self._augment
            batch = augment(batch, seed)
            self._plan.prepare(seed, batch['index'].device)
            self._seen_a_batch = True
        else:
            batch = self._through(self.test_pipeline, batch, Draws(0, 0, batch['index']))
        return dict(inputs=batch, data_samples=None)
