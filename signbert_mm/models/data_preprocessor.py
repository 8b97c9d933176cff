"""Turns poses into the model's input on the device, whole batches at once."""

from typing import Callable, Optional, Sequence, Union

import torch
from mmengine.model import BaseDataPreprocessor

from ..datasets.transforms.base import run_steps
from ..draws import DrawPlan, Draws
from ..registry import MODELS, TRANSFORMS


@MODELS.register_module()
class SignDataPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and runs the batched transforms there.

    The transforms are crop, mirror, augmentation, masks, and zeroing of missing joints. Random draws are a
    function of (seed, epoch, clip index, name). They compute without autocast, so mixed precision rounds no
    coordinate. In evaluation seed and epoch are 0, so a mask in
    ``test_pipeline`` is the same at each evaluation and in every run.

    Args:
        train_pipeline (Sequence[dict]): Transforms of training, configs of ``TRANSFORMS``.
        test_pipeline (Sequence[dict]): Transforms of validation and testing.
        seed (int, optional): Seed of the draws in training; None = the run's seed, which the training
            loop sets (0 without it).
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
        self._warm = False

    def __getstate__(self) -> dict:
        # A compiled function cannot be pickled, so copies are not compiled.
        return dict(super().__getstate__(), _compiled=None)

    def set_seed(self, seed: int) -> None:
        """Sets the run's seed, where the config has none."""
        self.seed = seed if self.seed is None else self.seed

    def compile(self, **options) -> None:
        """Compiles the training transforms by ``torch.compile``, which ``options`` are passed to.

        The first batch still runs uncompiled.
        """
        self._compiled = torch.compile(self._augment, **options)

    def uncompile(self) -> None:
        """Runs the training transforms uncompiled again."""
        self._compiled = None

    def _augment(self, batch: dict, seed: int) -> dict:
        return run_steps(
            self.train_pipeline, batch, Draws(seed, batch['epoch'], batch['index'], plan=self._plan)
        )

    @torch.no_grad()
    def forward(self, data: Union[dict, list], training: bool = False) -> dict:
        data = self.cast_data(data)
        batch = dict(data['inputs'])
        if 'video_id' in data:
            batch['video_id'] = data['video_id']
        # mmengine calls this inside its autocast, under which a matrix product of pixels is a bfloat16 one.
        with torch.autocast(batch['index'].device.type, enabled=False):
            batch = self._transform(batch, training)
        return dict(inputs=batch, data_samples=None)

    def _transform(self, batch: dict, training: bool) -> dict:
        if training:
            seed = self.seed or 0
            # The first batch moves constants to the device and records which draws the transforms need.
            augment = self._compiled if self._compiled is not None and self._warm else self._augment
            batch = augment(batch, seed)
            # Copies constants of the draws to the device here, outside the compiled graph.
            self._plan.prepare(seed, batch['index'].device)
            self._warm = True
        else:
            batch = run_steps(self.test_pipeline, batch, Draws(0, 0, batch['index']))
        return batch
